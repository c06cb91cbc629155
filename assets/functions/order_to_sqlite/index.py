"""Keeps orders in a SQLite database.

Runtime: python3, nothing but its standard library. Handler: index.handler.
Environment:
    DATABASE   path of the database file; it is made when it is missing

A message may come more than once, so an order is written under its id: the second copy changes nothing. All orders of
a batch are written in one transaction; if one of them cannot be, none is, and the whole batch comes again.
"""

import json
import logging
import os
import sqlite3
from contextlib import closing

logger = logging.getLogger()

TABLE = """
    CREATE TABLE IF NOT EXISTS orders (
        order_id    TEXT PRIMARY KEY,
        customer_id TEXT NOT NULL,
        amount      NUMERIC NOT NULL,
        currency    TEXT NOT NULL,
        ordered_at  TEXT NOT NULL,
        message_id  TEXT NOT NULL
    )
"""
INSERT = """
    INSERT INTO orders (order_id, customer_id, amount, currency, ordered_at, message_id)
    VALUES (:orderId, :customerId, :amount, :currency, :timestamp, :messageId)
    ON CONFLICT (order_id) DO NOTHING
"""


def handler(event, context):
    orders = [message["body"] | {"messageId": message["msgId"]} for message in json.loads(event)]
    # The connection as a context is the transaction; `closing` ends it.
    with closing(sqlite3.connect(os.environ["DATABASE"], timeout=10)) as database, database:
        database.execute(TABLE)
        written = sum(database.execute(INSERT, order).rowcount for order in orders)
    logger.info(f"{written} of {len(orders)} orders are new")
    return {"written": written}
