// Plays one scenario with the official Node.js client and prints what it sees, one JSON object a line.
// usage: node client.js ENDPOINT SCENARIO
'use strict';

const readline = require('node:readline');
const { format } = require('node:util');
const { Producer, SimpleConsumer, PushConsumer, ConsumeResult, FilterExpression } = require('rocketmq-client-nodejs');
const { FilterType, TransactionResolution } = require('rocketmq-client-nodejs/proto/apache/rocketmq/v2/definition_pb');

const [ENDPOINT, SCENARIO] = process.argv.slice(2);
// Before the names of topics and groups, where runs share a cluster.
const PREFIX = process.env.INTEROP_PREFIX ?? '';
// Real milliseconds a scenario may take.
const PATIENCE = 60_000;

const lines = readline.createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (saw, what = {}) => console.log(JSON.stringify({ saw, ...what }));
const sleep = millis => new Promise(resolve => setTimeout(resolve, millis));

// Hands over to the test, which does what is wanted (moves broker time, restarts the server) and answers a line.
async function pause(wanted) {
  say('ready', wanted);
  await lines.next();
}

// Warnings and errors are kept: the client leaves causes out of its errors.
const logged = [];
const keep = (...parts) => logged.push(format(...parts));
const quiet = { info() {}, warn: keep, error: keep, debug() {} };

function options() {
  const base = { endpoints: ENDPOINT, namespace: '', logger: quiet, sslEnabled: process.env.INTEROP_TLS === '1' };
  if (process.env.INTEROP_KEY) {
    base.sessionCredentials = { accessKey: process.env.INTEROP_KEY, accessSecret: process.env.INTEROP_SECRET };
  }
  return base;
}

async function producer(topic, checker) {
  const started = new Producer({ ...options(), topic: PREFIX + topic, checker });
  await started.startup();
  return started;
}

async function simple(group, topic, expression = '*') {
  const subscriptions = new Map().set(PREFIX + topic, expression);
  const consumerGroup = PREFIX + group;
  const consumer = new SimpleConsumer({ ...options(), consumerGroup, subscriptions, awaitDuration: 5000 });
  await consumer.startup();
  return consumer;
}

function message(topic, body, { properties, ...rest } = {}) {
  const pairs = new Map(Object.entries(properties ?? {}));
  return { topic: PREFIX + topic, body: Buffer.from(body), properties: pairs, ...rest };
}

async function send(sender, made) {
  const receipt = await sender.send(made);
  say('sent', { id: receipt.messageId, body: made.body.toString() });
  return receipt;
}

function saw(received) {
  say('received', {
    id: received.messageId,
    body: received.body.toString(),
    tag: received.tag ?? '',
    keys: [...received.keys].sort(),
    properties: Object.fromEntries(received.properties),
    group: received.messageGroup ?? '',
    attempt: received.deliveryAttempt ?? 0,
  });
}

// Receives until `count` messages came; returns them.
async function drain(consumer, count, { ack = true, invisible = 30_000 } = {}) {
  const got = [];
  const until = Date.now() + PATIENCE;
  while (got.length < count && Date.now() < until) {
    for (const received of await consumer.receive(16, invisible)) {
      saw(received);
      got.push(received);
      if (ack) await consumer.ack(received);
    }
  }
  return got;
}

async function close(...clients) {
  for (const client of clients) await client.shutdown();
}

// A push consumer whose listener always gives `result`; `done` settles after `wanted` deliveries.
async function pushed(topic, group, wanted, result) {
  let left = wanted;
  let finish;
  const done = Promise.race([new Promise(resolve => { finish = resolve; }), sleep(PATIENCE)]);
  const messageListener = {
    async consume(received) {
      saw(received);
      left -= 1;
      if (left <= 0) finish();
      return result;
    },
  };
  const subscriptions = new Map().set(PREFIX + topic, FilterExpression.SUB_ALL);
  const consumerGroup = PREFIX + group;
  const consumer = new PushConsumer({ ...options(), consumerGroup, subscriptions, messageListener });
  await consumer.startup();
  return { consumer, done };
}

async function refused(attempt) {
  try {
    await attempt();
  } catch (error) {
    say('refused', { text: `${error.name} ${error.code ?? ''} ${error.message} ${logged.join(' ')}` });
  }
}

// Tries again until it works or patience ends.
async function persistently(attempt) {
  const until = Date.now() + PATIENCE;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() > until) throw error;
      await sleep(500);
    }
  }
}

const SCENARIOS = {
  async normal() {
    const [sender, reader] = [await producer('normal'), await simple('normal-group', 'normal')];
    for (let number = 0; number < 3; number += 1) {
      const rest = { tag: 't', keys: [`k${number}`], properties: { amount: `${number}` } };
      await send(sender, message('normal', `body-${number}`, rest));
    }
    await drain(reader, 3);
    await close(sender, reader);
  },

  async fifo() {
    const [sender, reader] = [await producer('fifo'), await simple('fifo-group', 'fifo')];
    for (let number = 0; number < 6; number += 1) {
      await send(sender, message('fifo', `body-${number}`, { messageGroup: `g${number % 2}` }));
    }
    await drain(reader, 6);
    await close(sender, reader);
  },

  async delay() {
    const [sender, reader] = [await producer('delay'), await simple('delay-group', 'delay')];
    await send(sender, message('delay', 'later', { delay: 60_000 }));
    await pause({ step: 61 });
    await drain(reader, 1);
    await close(sender, reader);
  },

  async recall() {
    const sender = await producer('delay');
    const receipt = await send(sender, message('delay', 'never', { delay: 3_600_000 }));
    const recalled = await sender.recallMessage(PREFIX + 'delay', receipt.recallHandle);
    say('recalled', { id: recalled.messageId });
    await close(sender);
  },

  async transaction() {
    const checker = {
      async check(half) {
        say('checked', { id: half.messageId, body: half.body.toString() });
        return TransactionResolution.COMMIT;
      },
    };
    const sender = await producer('transaction', checker);
    const reader = await simple('transaction-group', 'transaction');
    for (const body of ['committed', 'rolled-back', 'checked']) {
      const half = sender.beginTransaction();
      const receipt = await sender.send(message('transaction', body), half);
      say('half', { id: receipt.messageId, body });
      if (body === 'committed') await half.commit();
      if (body === 'rolled-back') await half.rollback();
    }
    await pause({ step: 10 });
    await drain(reader, 2);
    await close(sender, reader);
  },

  // A simple consumer gives a message back and meets it again.
  async retry() {
    const [sender, reader] = [await producer('normal'), await simple('normal-group', 'normal')];
    await send(sender, message('normal', 'again'));
    const [first] = await drain(reader, 1, { ack: false });
    await reader.changeInvisibleDuration(first, 10_000);
    await pause({ step: 11 });
    await drain(reader, 1);
    await close(sender, reader);
  },

  async push() {
    const sender = await producer('normal');
    const { consumer, done } = await pushed('normal', 'normal-group', 5, ConsumeResult.SUCCESS);
    for (let number = 0; number < 5; number += 1) await send(sender, message('normal', `body-${number}`));
    await done;
    await pause({ settle: 'normal-group' });
    await close(consumer, sender);
  },

  async 'push-fifo'() {
    const sender = await producer('fifo');
    const { consumer, done } = await pushed('fifo', 'fifo-group', 6, ConsumeResult.SUCCESS);
    for (let number = 0; number < 6; number += 1) {
      await send(sender, message('fifo', `body-${number}`, { messageGroup: `g${number % 2}` }));
    }
    await done;
    await pause({ settle: 'fifo-group' });
    await close(consumer, sender);
  },

  // A listener that always fails: three deliveries, one and five real seconds apart, then a dead letter.
  async 'dead-letter'() {
    const sender = await producer('normal');
    const { consumer, done } = await pushed('normal', 'failing-group', 3, ConsumeResult.FAILURE);
    await send(sender, message('normal', 'poison'));
    await done;
    await pause({ dead: 'failing-group' });
    await close(consumer, sender);
  },

  async filters() {
    const sender = await producer('normal');
    const tagged = await simple('tag-group', 'normal', 'a || b');
    const selected = await simple('sql-group', 'normal', new FilterExpression('amount > 10', FilterType.SQL));
    for (const [tag, amount] of [['a', '5'], ['b', '20'], ['c', '30']]) {
      await send(sender, message('normal', tag, { tag, properties: { amount } }));
    }
    say('by-tag');
    await drain(tagged, 2);
    say('by-sql');
    await drain(selected, 2);
    await close(tagged, selected, sender);
  },

  async undeclared() {
    await refused(async () => send(await producer('missing'), message('missing', 'body')));
  },

  async credentials() {
    await refused(async () => send(await producer('normal'), message('normal', 'body')));
  },

  async one() {
    const sender = await producer('normal');
    await send(sender, message('normal', 'body'));
    await close(sender);
  },

  // Two groups, each with its own place in the topic.
  async groups() {
    const sender = await producer('normal');
    const [first, second] = [await simple('normal-group', 'normal'), await simple('other-group', 'normal')];
    for (let number = 0; number < 3; number += 1) await send(sender, message('normal', `body-${number}`));
    say('first-group');
    await drain(first, 3);
    say('second-group');
    await drain(second, 3);
    await close(first, second, sender);
  },

  async reconnect() {
    const [sender, reader] = [await producer('normal'), await simple('normal-group', 'normal')];
    await send(sender, message('normal', 'before'));
    await drain(reader, 1);
    await pause({ restart: true });
    await persistently(() => send(sender, message('normal', 'after')));
    await persistently(() => drain(reader, 1));
    await close(sender, reader);
  },
};

SCENARIOS[SCENARIO]().then(
  () => { say('done'); process.exit(0); },
  error => { console.error(error); process.exit(1); },
);
