// npm install rocketmq-client-nodejs
const { Producer } = require('rocketmq-client-nodejs');

(async () => {
  const producer = new Producer({ endpoints: '127.0.0.1:8081', topic: 'message-processing' });
  await producer.startup();
  const body = Buffer.from('{"eventType":"OrderCreated"}');
  const receipt = await producer.send({ topic: 'message-processing', body });
  console.log(receipt.messageId);
  await producer.shutdown();
})();
