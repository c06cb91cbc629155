// Maven: org.apache.rocketmq:rocketmq-client-java:5.2.0
import org.apache.rocketmq.client.apis.ClientConfiguration;
import org.apache.rocketmq.client.apis.ClientServiceProvider;

public class Producer {
    public static void main(String[] args) throws Exception {
        ClientServiceProvider provider = ClientServiceProvider.loadService();
        ClientConfiguration configuration =
            ClientConfiguration.newBuilder().setEndpoints("127.0.0.1:8081").build();
        try (var producer = provider.newProducerBuilder()
                .setClientConfiguration(configuration).setTopics("message-processing").build()) {
            var message = provider.newMessageBuilder().setTopic("message-processing")
                .setBody("{\"eventType\":\"OrderCreated\"}".getBytes()).build();
            System.out.println(producer.send(message).getMessageId());
        }
    }
}
