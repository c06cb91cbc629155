//! A RocketMQ 5 client: the `Messaging` half of a cluster elsewhere.
