# pip install rocketmq-python-client
from rocketmq import ClientConfiguration, Credentials, Message, Producer

producer = Producer(ClientConfiguration("127.0.0.1:8081", Credentials()), ("message-processing",))
producer.startup()
message = Message()
message.topic = "message-processing"
message.body = b'{"eventType":"OrderCreated"}'
print(producer.send(message).message_id)
producer.shutdown()
