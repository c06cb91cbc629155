"""Hands each order to an HTTP API.

Runtime: python3, nothing but its standard library. Handler: index.handler.
Environment:
    API_URL    where orders are posted as JSON
    API_TOKEN  sent as a bearer token, if it is set

Any answer but 2xx raises, so the trigger tries the batch again. A message may come more than once: its id goes along
as `Idempotency-Key`, by which the API can tell.
"""

import json
import logging
import os
import urllib.request

logger = logging.getLogger()

SECONDS = 10


def post(message):
    headers = {"Content-Type": "application/json", "Idempotency-Key": message["msgId"]}
    if token := os.environ.get("API_TOKEN"):
        headers["Authorization"] = f"Bearer {token}"
    body = json.dumps(message["body"]).encode()
    request = urllib.request.Request(os.environ["API_URL"], body, headers, method="POST")
    with urllib.request.urlopen(request, timeout=SECONDS) as answer:
        logger.info(f"order {message['body']['orderId']}: {answer.status}")


def handler(event, context):
    messages = json.loads(event)
    for message in messages:
        post(message)
    return {"posted": len(messages)}
