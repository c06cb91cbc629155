import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;
import org.apache.rocketmq.client.apis.ClientConfiguration;
import org.apache.rocketmq.client.apis.ClientConfigurationBuilder;
import org.apache.rocketmq.client.apis.ClientException;
import org.apache.rocketmq.client.apis.ClientServiceProvider;
import org.apache.rocketmq.client.apis.StaticSessionCredentialsProvider;
import org.apache.rocketmq.client.apis.consumer.ConsumeResult;
import org.apache.rocketmq.client.apis.consumer.FilterExpression;
import org.apache.rocketmq.client.apis.consumer.FilterExpressionType;
import org.apache.rocketmq.client.apis.consumer.PushConsumer;
import org.apache.rocketmq.client.apis.consumer.SimpleConsumer;
import org.apache.rocketmq.client.apis.message.MessageBuilder;
import org.apache.rocketmq.client.apis.message.MessageView;
import org.apache.rocketmq.client.apis.producer.Producer;
import org.apache.rocketmq.client.apis.producer.ProducerBuilder;
import org.apache.rocketmq.client.apis.producer.SendReceipt;
import org.apache.rocketmq.client.apis.producer.Transaction;
import org.apache.rocketmq.client.apis.producer.TransactionChecker;
import org.apache.rocketmq.client.apis.producer.TransactionResolution;

/** Plays one scenario with the official Java client and prints what it sees, one JSON object a line. */
public final class Client {
    /** Real time a scenario may take. */
    private static final Duration PATIENCE = Duration.ofSeconds(60);
    /** Before the names of topics and groups, where runs share a cluster. */
    private static final String PREFIX = System.getenv().getOrDefault("INTEROP_PREFIX", "");
    private static final ClientServiceProvider PROVIDER = ClientServiceProvider.loadService();
    private static final BufferedReader STDIN = new BufferedReader(new InputStreamReader(System.in));
    private static String endpoint;

    public static void main(String[] arguments) throws Exception {
        endpoint = arguments[0];
        switch (arguments[1]) {
            case "normal" -> normal();
            case "fifo" -> fifo();
            case "delay" -> delay();
            case "recall" -> recall();
            case "transaction" -> transaction();
            case "retry" -> retry();
            case "push" -> push();
            case "push-fifo" -> pushFifo();
            case "dead-letter" -> deadLetter();
            case "filters" -> filters();
            case "undeclared" -> refused("missing");
            case "credentials" -> refused("normal");
            case "one" -> one();
            case "groups" -> groups();
            case "reconnect" -> reconnect();
            default -> throw new IllegalArgumentException(arguments[1]);
        }
        say("done", Map.of());
        System.exit(0);
    }

    private static synchronized void say(String saw, Map<String, ?> what) {
        Map<String, Object> line = new TreeMap<>(what);
        line.put("saw", saw);
        System.out.println(json(line));
        System.out.flush();
    }

    private static String json(Object value) {
        if (value instanceof Map<?, ?> map) {
            return map.entrySet().stream().map(e -> json(e.getKey()) + ":" + json(e.getValue()))
                .collect(Collectors.joining(",", "{", "}"));
        }
        if (value instanceof Collection<?> items) {
            return items.stream().map(Client::json).collect(Collectors.joining(",", "[", "]"));
        }
        if (value instanceof String text) {
            StringBuilder quoted = new StringBuilder("\"");
            for (char c : text.toCharArray()) {
                quoted.append(c < ' ' || c == '"' || c == '\\' ? String.format("\\u%04x", (int) c) : c);
            }
            return quoted.append('"').toString();
        }
        return String.valueOf(value);
    }

    /** Hands over to the test, which does what is wanted (moves broker time, restarts the server) and answers a line. */
    private static void pause(Map<String, ?> wanted) throws IOException {
        say("ready", wanted);
        STDIN.readLine();
    }

    private static ClientConfiguration configuration() {
        ClientConfigurationBuilder builder = ClientConfiguration.newBuilder().setEndpoints(endpoint)
            .enableSsl(!"0".equals(System.getenv("INTEROP_TLS")));
        String key = System.getenv("INTEROP_KEY");
        if (key != null) {
            builder.setCredentialProvider(new StaticSessionCredentialsProvider(key, System.getenv("INTEROP_SECRET")));
        }
        return builder.build();
    }

    private static Producer producer(String topic, TransactionChecker checker) throws ClientException {
        ProducerBuilder builder = PROVIDER.newProducerBuilder().setClientConfiguration(configuration());
        if (checker != null) {
            builder.setTransactionChecker(checker);
        }
        return builder.setTopics(PREFIX + topic).build();
    }

    private static Producer producer(String topic) throws ClientException {
        return producer(topic, null);
    }

    private static SimpleConsumer simple(String group, String topic, FilterExpression expression)
        throws ClientException {
        return PROVIDER.newSimpleConsumerBuilder().setClientConfiguration(configuration())
            .setConsumerGroup(PREFIX + group)
            .setAwaitDuration(Duration.ofSeconds(5)).setSubscriptionExpressions(Map.of(PREFIX + topic, expression))
            .build();
    }

    private static SimpleConsumer simple(String group, String topic) throws ClientException {
        return simple(group, topic, FilterExpression.SUB_ALL);
    }

    private static MessageBuilder message(String topic, String body) {
        return PROVIDER.newMessageBuilder().setTopic(PREFIX + topic).setBody(body.getBytes(StandardCharsets.UTF_8));
    }

    private static SendReceipt send(Producer sender, String body, MessageBuilder made) throws ClientException {
        SendReceipt receipt = sender.send(made.build());
        say("sent", Map.of("id", receipt.getMessageId().toString(), "body", body));
        return receipt;
    }

    private static String body(MessageView received) {
        return StandardCharsets.UTF_8.decode(received.getBody().duplicate()).toString();
    }

    private static void saw(MessageView received) {
        say("received", Map.of(
            "id", received.getMessageId().toString(),
            "body", body(received),
            "tag", received.getTag().orElse(""),
            "keys", received.getKeys().stream().sorted().toList(),
            "properties", received.getProperties(),
            "group", received.getMessageGroup().orElse(""),
            "attempt", received.getDeliveryAttempt()));
    }

    /** Receives until {@code count} messages came; returns them. */
    private static List<MessageView> drain(SimpleConsumer consumer, int count, boolean ack) throws ClientException {
        List<MessageView> got = new ArrayList<>();
        long until = System.nanoTime() + PATIENCE.toNanos();
        while (got.size() < count && System.nanoTime() < until) {
            for (MessageView received : consumer.receive(16, Duration.ofSeconds(30))) {
                saw(received);
                got.add(received);
                if (ack) {
                    consumer.ack(received);
                }
            }
        }
        return got;
    }

    private static void normal() throws Exception {
        try (Producer sender = producer("normal"); SimpleConsumer reader = simple("normal-group", "normal")) {
            for (int number = 0; number < 3; number++) {
                String body = "body-" + number;
                send(sender, body, message("normal", body).setTag("t").setKeys("k" + number)
                    .addProperty("amount", String.valueOf(number)));
            }
            drain(reader, 3, true);
        }
    }

    private static void sendOrdered(Producer sender) throws ClientException {
        for (int number = 0; number < 6; number++) {
            String body = "body-" + number;
            send(sender, body, message("fifo", body).setMessageGroup("g" + number % 2));
        }
    }

    private static void fifo() throws Exception {
        try (Producer sender = producer("fifo"); SimpleConsumer reader = simple("fifo-group", "fifo")) {
            sendOrdered(sender);
            drain(reader, 6, true);
        }
    }

    private static void delay() throws Exception {
        try (Producer sender = producer("delay"); SimpleConsumer reader = simple("delay-group", "delay")) {
            send(sender, "later", message("delay", "later")
                .setDeliveryTimestamp(System.currentTimeMillis() + 60_000));
            pause(Map.of("step", 61));
            drain(reader, 1, true);
        }
    }

    private static void recall() throws Exception {
        try (Producer sender = producer("delay")) {
            SendReceipt receipt = send(sender, "never", message("delay", "never")
                .setDeliveryTimestamp(System.currentTimeMillis() + 3_600_000));
            String handle = receipt.getRecallHandle();
            String id = sender.recallMessage(PREFIX + "delay", handle).getMessageId().toString();
            say("recalled", Map.of("id", id));
        }
    }

    private static TransactionResolution check(MessageView half) {
        say("checked", Map.of("id", half.getMessageId().toString(), "body", body(half)));
        return TransactionResolution.COMMIT;
    }

    private static void transaction() throws Exception {
        try (Producer sender = producer("transaction", Client::check);
             SimpleConsumer reader = simple("transaction-group", "transaction")) {
            for (String body : List.of("committed", "rolled-back", "checked")) {
                Transaction half = sender.beginTransaction();
                SendReceipt receipt = sender.send(message("transaction", body).build(), half);
                say("half", Map.of("id", receipt.getMessageId().toString(), "body", body));
                if (body.equals("committed")) {
                    half.commit();
                } else if (body.equals("rolled-back")) {
                    half.rollback();
                }
            }
            pause(Map.of("step", 10));
            drain(reader, 2, true);
        }
    }

    /** A simple consumer gives a message back and meets it again. */
    private static void retry() throws Exception {
        try (Producer sender = producer("normal"); SimpleConsumer reader = simple("normal-group", "normal")) {
            send(sender, "again", message("normal", "again"));
            reader.changeInvisibleDuration(drain(reader, 1, false).get(0), Duration.ofSeconds(10));
            pause(Map.of("step", 11));
            drain(reader, 1, true);
        }
    }

    /** A push consumer whose listener always gives {@code result}. */
    private static PushConsumer pushed(String topic, String group, CountDownLatch left, ConsumeResult result)
        throws ClientException {
        return PROVIDER.newPushConsumerBuilder().setClientConfiguration(configuration())
            .setConsumerGroup(PREFIX + group)
            .setSubscriptionExpressions(Map.of(PREFIX + topic, FilterExpression.SUB_ALL))
            .setMessageListener(received -> {
                saw(received);
                left.countDown();
                return result;
            }).build();
    }

    private static void push() throws Exception {
        CountDownLatch left = new CountDownLatch(5);
        try (Producer sender = producer("normal");
             PushConsumer ignored = pushed("normal", "normal-group", left, ConsumeResult.SUCCESS)) {
            for (int number = 0; number < 5; number++) {
                send(sender, "body-" + number, message("normal", "body-" + number));
            }
            left.await(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            pause(Map.of("settle", "normal-group"));
        }
    }

    private static void pushFifo() throws Exception {
        CountDownLatch left = new CountDownLatch(6);
        try (Producer sender = producer("fifo");
             PushConsumer ignored = pushed("fifo", "fifo-group", left, ConsumeResult.SUCCESS)) {
            sendOrdered(sender);
            left.await(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            pause(Map.of("settle", "fifo-group"));
        }
    }

    /** A listener that always fails: three deliveries, one and five real seconds apart, then a dead letter. */
    private static void deadLetter() throws Exception {
        CountDownLatch left = new CountDownLatch(3);
        try (Producer sender = producer("normal");
             PushConsumer ignored = pushed("normal", "failing-group", left, ConsumeResult.FAILURE)) {
            send(sender, "poison", message("normal", "poison"));
            left.await(PATIENCE.toSeconds(), TimeUnit.SECONDS);
            pause(Map.of("dead", "failing-group"));
        }
    }

    private static void filters() throws Exception {
        FilterExpression tags = new FilterExpression("a || b", FilterExpressionType.TAG);
        FilterExpression sql = new FilterExpression("amount > 10", FilterExpressionType.SQL92);
        try (Producer sender = producer("normal");
             SimpleConsumer tagged = simple("tag-group", "normal", tags);
             SimpleConsumer selected = simple("sql-group", "normal", sql)) {
            for (String[] one : new String[][] {{"a", "5"}, {"b", "20"}, {"c", "30"}}) {
                send(sender, one[0], message("normal", one[0]).setTag(one[0]).addProperty("amount", one[1]));
            }
            say("by-tag", Map.of());
            drain(tagged, 2, true);
            say("by-sql", Map.of());
            drain(selected, 2, true);
        }
    }

    /** Sends one message to a topic; the client's start may already be refused. */
    private static void refused(String topic) {
        try {
            send(producer(topic), "body", message(topic, "body"));
        } catch (Throwable error) {
            String text = error.toString();
            for (Throwable cause = error.getCause(); cause != null; cause = cause.getCause()) {
                text = text + " " + cause;
            }
            say("refused", Map.of("text", text));
        }
    }

    private static void one() throws Exception {
        try (Producer sender = producer("normal")) {
            send(sender, "body", message("normal", "body"));
        }
    }

    /** Two groups, each with its own place in the topic. */
    private static void groups() throws Exception {
        try (Producer sender = producer("normal");
             SimpleConsumer first = simple("normal-group", "normal");
             SimpleConsumer second = simple("other-group", "normal")) {
            for (int number = 0; number < 3; number++) {
                send(sender, "body-" + number, message("normal", "body-" + number));
            }
            say("first-group", Map.of());
            drain(first, 3, true);
            say("second-group", Map.of());
            drain(second, 3, true);
        }
    }

    private interface Attempt {
        void run() throws Exception;
    }

    /** Tries again until it works or patience ends. */
    private static void persistently(Attempt attempt) throws Exception {
        long until = System.nanoTime() + PATIENCE.toNanos();
        while (true) {
            try {
                attempt.run();
                return;
            } catch (ClientException error) {
                if (System.nanoTime() > until) {
                    throw error;
                }
                Thread.sleep(500);
            }
        }
    }

    private static void reconnect() throws Exception {
        try (Producer sender = producer("normal"); SimpleConsumer reader = simple("normal-group", "normal")) {
            send(sender, "before", message("normal", "before"));
            drain(reader, 1, true);
            pause(Map.of("restart", true));
            persistently(() -> send(sender, "after", message("normal", "after")));
            persistently(() -> drain(reader, 1, true));
            // This client opens its stream anew a second after it broke; closed before that, it waits for it for ever.
            Thread.sleep(2000);
        }
    }
}
