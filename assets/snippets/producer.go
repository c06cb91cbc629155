// go get github.com/apache/rocketmq-clients/golang/v5
package main

import (
	"context"
	"fmt"

	rmq "github.com/apache/rocketmq-clients/golang/v5"
	"github.com/apache/rocketmq-clients/golang/v5/credentials"
)

func main() {
	config := &rmq.Config{Endpoint: "127.0.0.1:8081", Credentials: &credentials.SessionCredentials{}}
	producer, err := rmq.NewProducer(config, rmq.WithTopics("message-processing"))
	if err != nil {
		panic(err)
	}
	if err := producer.Start(); err != nil {
		panic(err)
	}
	message := &rmq.Message{Topic: "message-processing", Body: []byte(`{"eventType":"OrderCreated"}`)}
	receipts, err := producer.Send(context.Background(), message)
	if err != nil {
		panic(err)
	}
	fmt.Println(receipts[0].MessageID)
	_ = producer.GracefulStop()
}
