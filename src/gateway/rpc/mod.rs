//! One file per call: wire to domain, one call on the seam, domain to wire.

pub(super) mod ack_message;
pub(super) mod change_invisible_duration;
pub(super) mod end_transaction;
pub(super) mod forward_to_dead_letter;
pub(super) mod get_offset;
pub(super) mod heartbeat;
pub(super) mod notify_client_termination;
mod poll;
pub(super) mod pull_message;
pub(super) mod query_assignment;
pub(super) mod query_offset;
pub(super) mod query_route;
pub(super) mod recall_message;
pub(super) mod receive_message;
pub(super) mod send_message;
pub(super) mod sync_lite_subscription;
pub(super) mod telemetry;
pub(super) mod update_offset;
