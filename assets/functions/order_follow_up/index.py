"""Publishes a follow-up message for each order, so that a second function goes on where this one ends.

Runtime: python3, nothing but its standard library. Handler: index.handler.
Environment:
    FOLLOW_UP_TOPIC    topic of the follow-up messages
    MOONPORT_COMMAND   path of the moonport program; `moonport` on the path if it is not set
    MOONPORT_DATA_DIR  data directory of the console or `moonport serve` that runs this function

`moonport send` hands the message to the process that owns the data directory and returns once it is stored. It fails
otherwise, and so does this function: the trigger tries the batch again. A follow-up may therefore be published twice;
its key is the order's id and `causedBy` names the message it came from.
"""

import json
import logging
import os
import subprocess

logger = logging.getLogger()

SECONDS = 20


def publish(message):
    order = message["body"]
    follow_up = {
        "eventType": "OrderFollowUpDue",
        "orderId": order["orderId"],
        "customerId": order["customerId"],
        "causedBy": message["msgId"],
    }
    command = [os.environ.get("MOONPORT_COMMAND", "moonport"), "send", "--json"]
    command += ["--topic", os.environ["FOLLOW_UP_TOPIC"], "--tag", "FollowUp", "--key", order["orderId"]]
    sent = subprocess.run(
        command, input=json.dumps(follow_up), capture_output=True, text=True, timeout=SECONDS, check=False
    )
    if sent.returncode != 0:
        raise RuntimeError(f"the follow-up of {order['orderId']} was not sent: {sent.stderr.strip()}")
    logger.info(f"follow-up of {order['orderId']} is on its way")


def handler(event, context):
    messages = json.loads(event)
    for message in messages:
        publish(message)
    return {"published": len(messages)}
