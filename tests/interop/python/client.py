"""Plays one scenario with the official Python client and prints what it sees, one JSON object a line.

usage: client.py ENDPOINT SCENARIO
"""
import json
import logging
import os
import sys
import threading
import time

from rocketmq import (ClientConfiguration, ConsumeResult, Credentials, FilterExpression, Message, MessageListener,
                      Producer, PushConsumer, SimpleConsumer, TransactionChecker, TransactionResolution)
from rocketmq.grpc_protocol import FilterType
from rocketmq.v5.log import logger

ENDPOINT, SCENARIO = sys.argv[1], sys.argv[2]
TLS = os.environ.get("INTEROP_TLS") == "1"
# Before the names of topics and groups, where runs share a cluster.
PREFIX = os.environ.get("INTEROP_PREFIX", "")
# Real seconds a scenario may take.
PATIENCE = 60
WRITING = threading.Lock()


def say(saw, **what):
    with WRITING:
        print(json.dumps({"saw": saw, **what}), flush=True)


def pause(**wanted):
    """Hands over to the test, which does what is wanted (moves broker time, restarts the server) and answers a line."""
    say("ready", **wanted)
    sys.stdin.readline()


def configuration():
    key, secret = os.environ.get("INTEROP_KEY", ""), os.environ.get("INTEROP_SECRET", "")
    return ClientConfiguration(ENDPOINT, Credentials(key, secret))


def producer(topic, checker=None):
    started = Producer(configuration(), (PREFIX + topic,), checker=checker, tls_enable=TLS)
    started.startup()
    return started


def simple(group, topic, expression=None):
    subscription = {PREFIX + topic: expression or FilterExpression()}
    consumer = SimpleConsumer(configuration(), PREFIX + group, subscription, await_duration=5, tls_enable=TLS)
    consumer.startup()
    return consumer


# `at` is in seconds, as this client takes it.
def message(topic, body, tag=None, keys=(), group=None, at=None, **properties):
    made = Message()
    made.topic = PREFIX + topic
    made.body = body.encode()
    if tag:
        made.tag = tag
    for key in keys:
        made.keys = key
    if group:
        made.message_group = group
    if at:
        made.delivery_timestamp = at
    for name, value in properties.items():
        made.add_property(name, value)
    return made


def send(sender, made):
    receipt = sender.send(made)
    say("sent", id=receipt.message_id, body=made.body.decode())
    return receipt


def saw(received):
    say("received", id=received.message_id, body=received.body.decode(), tag=received.tag or "",
        keys=sorted(received.keys or []), properties=dict(received.properties or {}),
        group=received.message_group or "", attempt=received.delivery_attempt or 0)


def drain(consumer, count, ack=True, invisible=30):
    """Receives until `count` messages came; returns them."""
    got, until = [], time.monotonic() + PATIENCE
    while len(got) < count and time.monotonic() < until:
        for received in consumer.receive(16, invisible) or []:
            saw(received)
            got.append(received)
            if ack:
                consumer.ack(received)
    return got


def normal():
    sender, reader = producer("normal"), simple("normal-group", "normal")
    for number in range(3):
        send(sender, message("normal", f"body-{number}", tag="t", keys=(f"k{number}",), amount=str(number)))
    drain(reader, 3)
    sender.shutdown()
    reader.shutdown()


def fifo():
    sender, reader = producer("fifo"), simple("fifo-group", "fifo")
    for number in range(6):
        send(sender, message("fifo", f"body-{number}", group=f"g{number % 2}"))
    drain(reader, 6)
    sender.shutdown()
    reader.shutdown()


def delay():
    sender, reader = producer("delay"), simple("delay-group", "delay")
    send(sender, message("delay", "later", at=int(time.time()) + 60))
    pause(step=61)
    drain(reader, 1)
    sender.shutdown()
    reader.shutdown()


def recall():
    sender = producer("delay")
    receipt = send(sender, message("delay", "never", at=int(time.time()) + 3600))
    recalled = sender.recall_message(PREFIX + "delay", receipt.recall_handle)
    say("recalled", id=getattr(recalled, "message_id", None) or str(recalled))
    sender.shutdown()


class Commits(TransactionChecker):
    def check(self, half):
        say("checked", id=half.message_id, body=half.body.decode())
        return TransactionResolution.COMMIT


def transaction():
    sender, reader = producer("transaction", Commits()), simple("transaction-group", "transaction")
    for body in ("committed", "rolled-back", "checked"):
        half = sender.begin_transaction()
        receipt = sender.send(message("transaction", body), half)
        say("half", id=receipt.message_id, body=body)
        if body == "committed":
            half.commit()
        elif body == "rolled-back":
            half.rollback()
    pause(step=10)
    drain(reader, 2)
    sender.shutdown()
    reader.shutdown()


def retry():
    """A simple consumer gives a message back and meets it again."""
    sender, reader = producer("normal"), simple("normal-group", "normal")
    send(sender, message("normal", "again"))
    first = drain(reader, 1, ack=False)[0]
    reader.change_invisible_duration(first, 10)
    pause(step=11)
    drain(reader, 1)
    sender.shutdown()
    reader.shutdown()


class Counts(MessageListener):
    def __init__(self, wanted, result):
        self.left, self.result, self.done = wanted, result, threading.Event()

    def consume(self, received):
        saw(received)
        self.left -= 1
        if self.left <= 0:
            self.done.set()
        return self.result


def pushed(topic, group, wanted, result):
    listener = Counts(wanted, result)
    consumer = PushConsumer(configuration(), PREFIX + group, listener, {PREFIX + topic: FilterExpression()},
                            tls_enable=TLS)
    consumer.startup()
    return consumer, listener


def push():
    sender = producer("normal")
    consumer, listener = pushed("normal", "normal-group", 5, ConsumeResult.SUCCESS)
    for number in range(5):
        send(sender, message("normal", f"body-{number}"))
    listener.done.wait(PATIENCE)
    pause(settle="normal-group")
    consumer.shutdown()
    sender.shutdown()


def push_fifo():
    sender = producer("fifo")
    consumer, listener = pushed("fifo", "fifo-group", 6, ConsumeResult.SUCCESS)
    for number in range(6):
        send(sender, message("fifo", f"body-{number}", group=f"g{number % 2}"))
    listener.done.wait(PATIENCE)
    pause(settle="fifo-group")
    consumer.shutdown()
    sender.shutdown()


def dead_letter():
    """A listener that always fails: three deliveries, one and five real seconds apart, then a dead letter."""
    sender = producer("normal")
    consumer, listener = pushed("normal", "failing-group", 3, ConsumeResult.FAILURE)
    send(sender, message("normal", "poison"))
    listener.done.wait(PATIENCE)
    pause(dead="failing-group")
    consumer.shutdown()
    sender.shutdown()


def filters():
    sender = producer("normal")
    tagged = simple("tag-group", "normal", FilterExpression("a || b"))
    selected = simple("sql-group", "normal", FilterExpression("amount > 10", FilterType.SQL))
    for tag, amount in (("a", "5"), ("b", "20"), ("c", "30")):
        send(sender, message("normal", tag, tag=tag, amount=amount))
    say("by-tag")
    drain(tagged, 2)
    say("by-sql")
    drain(selected, 2)
    for client in (tagged, selected, sender):
        client.shutdown()


def undeclared():
    refused(lambda: send(producer("missing"), message("missing", "body")))


def credentials():
    refused(lambda: send(producer("normal"), message("normal", "body")))


class Kept(logging.Handler):
    """What the client logs: it keeps causes out of its exceptions."""

    def __init__(self):
        super().__init__()
        self.lines = []

    def emit(self, record):
        self.lines.append(record.getMessage())


def refused(attempt):
    kept = Kept()
    logger.addHandler(kept)
    try:
        attempt()
    except Exception as error:  # the kind differs by what is refused; the test reads the text
        say("refused", text=f"{type(error).__name__} {getattr(error, 'code', '')} {error} {kept.lines}")


def one():
    sender = producer("normal")
    send(sender, message("normal", "body"))
    sender.shutdown()


def groups():
    """Two groups, each with its own place in the topic."""
    sender = producer("normal")
    first, second = simple("normal-group", "normal"), simple("other-group", "normal")
    for number in range(3):
        send(sender, message("normal", f"body-{number}"))
    say("first-group")
    drain(first, 3)
    say("second-group")
    drain(second, 3)
    for client in (first, second, sender):
        client.shutdown()


def reconnect():
    sender, reader = producer("normal"), simple("normal-group", "normal")
    send(sender, message("normal", "before"))
    drain(reader, 1)
    pause(restart=True)
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        try:
            send(sender, message("normal", "after"))
            break
        except Exception:
            time.sleep(0.5)
    while time.monotonic() < until:
        try:
            drain(reader, 1)
            break
        except Exception:
            time.sleep(0.5)
    sender.shutdown()
    reader.shutdown()


SCENARIOS = {
    "normal": normal, "fifo": fifo, "delay": delay, "recall": recall, "transaction": transaction, "retry": retry,
    "push": push, "push-fifo": push_fifo, "dead-letter": dead_letter, "filters": filters, "undeclared": undeclared,
    "credentials": credentials, "one": one, "groups": groups, "reconnect": reconnect,
}

SCENARIOS[SCENARIO]()
say("done")
os._exit(0)
