// Plays one scenario with the official Go client and prints what it sees, one JSON object a line.
//
// usage: client ENDPOINT SCENARIO
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"os"
	"sort"
	"strings"
	"sync"
	"time"

	rmq "github.com/apache/rocketmq-clients/golang/v5"
	"github.com/apache/rocketmq-clients/golang/v5/credentials"
)

// Real time a scenario may take.
const patience = 60 * time.Second

var (
	// Before the names of topics and groups, where runs share a cluster.
	prefix   = os.Getenv("INTEROP_PREFIX")
	endpoint = os.Args[1]
	stdin    = bufio.NewReader(os.Stdin)
	writing  sync.Mutex
)

type fields map[string]any

func say(saw string, what fields) {
	writing.Lock()
	defer writing.Unlock()
	line := fields{"saw": saw}
	for name, value := range what {
		line[name] = value
	}
	text, _ := json.Marshal(line)
	fmt.Println(string(text))
}

// Hands over to the test, which does what is wanted (moves broker time, restarts the server) and answers a line.
func pause(wanted fields) {
	say("ready", wanted)
	_, _ = stdin.ReadString('\n')
}

func must(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func configuration(group string) *rmq.Config {
	return &rmq.Config{
		Endpoint:      endpoint,
		ConsumerGroup: prefix + group,
		Credentials: &credentials.SessionCredentials{
			AccessKey:    os.Getenv("INTEROP_KEY"),
			AccessSecret: os.Getenv("INTEROP_SECRET"),
		},
	}
}

func tryProducer(topic string, options ...rmq.ProducerOption) (rmq.Producer, error) {
	started, err := rmq.NewProducer(configuration(""), append(options, rmq.WithTopics(prefix+topic))...)
	if err != nil {
		return nil, err
	}
	return started, started.Start()
}

func producer(topic string, options ...rmq.ProducerOption) rmq.Producer {
	started, err := tryProducer(topic, options...)
	must(err)
	return started
}

func simple(group, topic string, expression *rmq.FilterExpression) rmq.SimpleConsumer {
	consumer, err := rmq.NewSimpleConsumer(configuration(group),
		rmq.WithSimpleAwaitDuration(5*time.Second),
		rmq.WithSimpleSubscriptionExpressions(map[string]*rmq.FilterExpression{prefix + topic: expression}))
	must(err)
	must(consumer.Start())
	return consumer
}

func trySend(sender rmq.Producer, message *rmq.Message) (*rmq.SendReceipt, error) {
	receipts, err := sender.Send(context.Background(), message)
	if err != nil {
		return nil, err
	}
	say("sent", fields{"id": receipts[0].MessageID, "body": string(message.Body)})
	return receipts[0], nil
}

func send(sender rmq.Producer, message *rmq.Message) *rmq.SendReceipt {
	receipt, err := trySend(sender, message)
	must(err)
	return receipt
}

func message(topic, body string) *rmq.Message {
	return &rmq.Message{Topic: prefix + topic, Body: []byte(body)}
}

func text(given *string) string {
	if given == nil {
		return ""
	}
	return *given
}

func saw(received *rmq.MessageView) {
	keys := append([]string{}, received.GetKeys()...)
	sort.Strings(keys)
	properties := received.GetProperties()
	if properties == nil {
		properties = map[string]string{}
	}
	say("received", fields{
		"id":         received.GetMessageId(),
		"body":       string(received.GetBody()),
		"tag":        text(received.GetTag()),
		"keys":       keys,
		"properties": properties,
		"group":      text(received.GetMessageGroup()),
		"attempt":    received.GetDeliveryAttempt(),
	})
}

// Receives until `count` messages came; returns them. An empty receive is an error to this client.
func drain(consumer rmq.SimpleConsumer, count int, ack bool) []*rmq.MessageView {
	var got []*rmq.MessageView
	for until := time.Now().Add(patience); len(got) < count && time.Now().Before(until); {
		messages, err := consumer.Receive(context.Background(), 16, 30*time.Second)
		if err != nil {
			if !strings.Contains(err.Error(), "MESSAGE_NOT_FOUND") {
				time.Sleep(500 * time.Millisecond)
			}
			continue
		}
		for _, received := range messages {
			saw(received)
			got = append(got, received)
			if ack {
				must(consumer.Ack(context.Background(), received))
			}
		}
	}
	return got
}

// A push consumer whose listener always gives `result`, and what closes after `wanted` deliveries.
func pushed(topic, group string, wanted int, result rmq.ConsumerResult) (rmq.PushConsumer, chan struct{}) {
	done := make(chan struct{})
	var counting sync.Mutex
	listener := &rmq.FuncMessageListener{Consume: func(received *rmq.MessageView) rmq.ConsumerResult {
		saw(received)
		counting.Lock()
		defer counting.Unlock()
		wanted--
		if wanted == 0 {
			close(done)
		}
		return result
	}}
	consumer, err := rmq.NewPushConsumer(configuration(group),
		rmq.WithPushAwaitDuration(5*time.Second),
		rmq.WithPushSubscriptionExpressions(map[string]*rmq.FilterExpression{prefix + topic: rmq.SUB_ALL}),
		rmq.WithPushMessageListener(listener))
	must(err)
	must(consumer.Start())
	return consumer, done
}

func wait(done chan struct{}) {
	select {
	case <-done:
	case <-time.After(patience):
	}
}

func refused(err error) {
	if err != nil {
		say("refused", fields{"text": err.Error()})
	}
}

func normal() {
	sender, reader := producer("normal"), simple("normal-group", "normal", rmq.SUB_ALL)
	for number := range 3 {
		made := message("normal", fmt.Sprintf("body-%d", number))
		made.SetTag("t")
		made.SetKeys(fmt.Sprintf("k%d", number))
		made.AddProperty("amount", fmt.Sprint(number))
		send(sender, made)
	}
	drain(reader, 3, true)
	must(sender.GracefulStop())
	must(reader.GracefulStop())
}

func sendOrdered(sender rmq.Producer) {
	for number := range 6 {
		made := message("fifo", fmt.Sprintf("body-%d", number))
		made.SetMessageGroup(fmt.Sprintf("g%d", number%2))
		send(sender, made)
	}
}

func fifo() {
	sender, reader := producer("fifo"), simple("fifo-group", "fifo", rmq.SUB_ALL)
	sendOrdered(sender)
	drain(reader, 6, true)
	must(sender.GracefulStop())
	must(reader.GracefulStop())
}

func delay() {
	sender, reader := producer("delay"), simple("delay-group", "delay", rmq.SUB_ALL)
	made := message("delay", "later")
	made.SetDelayTimestamp(time.Now().Add(time.Minute))
	send(sender, made)
	pause(fields{"step": 61})
	drain(reader, 1, true)
	must(sender.GracefulStop())
	must(reader.GracefulStop())
}

func recall() {
	sender := producer("delay")
	made := message("delay", "never")
	made.SetDelayTimestamp(time.Now().Add(time.Hour))
	receipt := send(sender, made)
	id, err := sender.Recall(context.Background(), prefix+"delay", receipt.RecallHandle)
	must(err)
	say("recalled", fields{"id": id})
	must(sender.GracefulStop())
}

func transaction() {
	checker := &rmq.TransactionChecker{Check: func(half *rmq.MessageView) rmq.TransactionResolution {
		say("checked", fields{"id": half.GetMessageId(), "body": string(half.GetBody())})
		return rmq.COMMIT
	}}
	sender := producer("transaction", rmq.WithTransactionChecker(checker))
	reader := simple("transaction-group", "transaction", rmq.SUB_ALL)
	for _, body := range []string{"committed", "rolled-back", "checked"} {
		half := sender.BeginTransaction()
		receipts, err := sender.SendWithTransaction(context.Background(), message("transaction", body), half)
		must(err)
		say("half", fields{"id": receipts[0].MessageID, "body": body})
		switch body {
		case "committed":
			must(half.Commit())
		case "rolled-back":
			must(half.RollBack())
		}
	}
	pause(fields{"step": 10})
	drain(reader, 2, true)
	must(sender.GracefulStop())
	must(reader.GracefulStop())
}

// A simple consumer gives a message back and meets it again.
func retry() {
	sender, reader := producer("normal"), simple("normal-group", "normal", rmq.SUB_ALL)
	send(sender, message("normal", "again"))
	first := drain(reader, 1, false)[0]
	must(reader.ChangeInvisibleDuration(first, 10*time.Second))
	pause(fields{"step": 11})
	drain(reader, 1, true)
	must(sender.GracefulStop())
	must(reader.GracefulStop())
}

func push() {
	sender := producer("normal")
	consumer, done := pushed("normal", "normal-group", 5, rmq.SUCCESS)
	for number := range 5 {
		send(sender, message("normal", fmt.Sprintf("body-%d", number)))
	}
	wait(done)
	pause(fields{"settle": "normal-group"})
	must(consumer.GracefulStop())
	must(sender.GracefulStop())
}

func pushFifo() {
	sender := producer("fifo")
	consumer, done := pushed("fifo", "fifo-group", 6, rmq.SUCCESS)
	sendOrdered(sender)
	wait(done)
	pause(fields{"settle": "fifo-group"})
	must(consumer.GracefulStop())
	must(sender.GracefulStop())
}

// A listener that always fails: three deliveries, one and five real seconds apart, then a dead letter.
func deadLetter() {
	sender := producer("normal")
	consumer, done := pushed("normal", "failing-group", 3, rmq.FAILURE)
	send(sender, message("normal", "poison"))
	wait(done)
	pause(fields{"dead": "failing-group"})
	must(consumer.GracefulStop())
	must(sender.GracefulStop())
}

func filters() {
	sender := producer("normal")
	tagged := simple("tag-group", "normal", rmq.NewFilterExpression("a || b"))
	selected := simple("sql-group", "normal", rmq.NewFilterExpressionWithType("amount > 10", rmq.SQL92))
	for _, one := range [][2]string{{"a", "5"}, {"b", "20"}, {"c", "30"}} {
		made := message("normal", one[0])
		made.SetTag(one[0])
		made.AddProperty("amount", one[1])
		send(sender, made)
	}
	say("by-tag", nil)
	drain(tagged, 2, true)
	say("by-sql", nil)
	drain(selected, 2, true)
	must(tagged.GracefulStop())
	must(selected.GracefulStop())
	must(sender.GracefulStop())
}

// Sends one message to a topic; the client's start may already be refused.
func attempt(topic string) error {
	sender, err := tryProducer(topic)
	if err != nil {
		return err
	}
	_, err = trySend(sender, message(topic, "body"))
	return err
}

func one() {
	sender := producer("normal")
	send(sender, message("normal", "body"))
	must(sender.GracefulStop())
}

// Two groups, each with its own place in the topic.
func groups() {
	sender := producer("normal")
	first, second := simple("normal-group", "normal", rmq.SUB_ALL), simple("other-group", "normal", rmq.SUB_ALL)
	for number := range 3 {
		send(sender, message("normal", fmt.Sprintf("body-%d", number)))
	}
	say("first-group", nil)
	drain(first, 3, true)
	say("second-group", nil)
	drain(second, 3, true)
	must(first.GracefulStop())
	must(second.GracefulStop())
	must(sender.GracefulStop())
}

func reconnect() {
	sender, reader := producer("normal"), simple("normal-group", "normal", rmq.SUB_ALL)
	send(sender, message("normal", "before"))
	drain(reader, 1, true)
	pause(fields{"restart": true})
	for until := time.Now().Add(patience); time.Now().Before(until); {
		if _, err := trySend(sender, message("normal", "after")); err == nil {
			break
		}
		time.Sleep(500 * time.Millisecond)
	}
	drain(reader, 1, true)
}

func main() {
	rmq.EnableSsl = os.Getenv("INTEROP_TLS") != "0"
	scenarios := map[string]func(){
		"normal": normal, "fifo": fifo, "delay": delay, "recall": recall, "transaction": transaction, "retry": retry,
		"push": push, "push-fifo": pushFifo, "dead-letter": deadLetter, "filters": filters,
		"undeclared":  func() { refused(attempt("missing")) },
		"credentials": func() { refused(attempt("normal")) },
		"one":         one, "groups": groups, "reconnect": reconnect,
	}
	scenarios[os.Args[2]]()
	say("done", nil)
}
