//! The RocketMQ 5 wire format: generated types and stubs, and how outcomes are told in its codes.
//! Beside this room only `gateway` and `remote` may name `tonic` or `prost`.

pub mod convert;
pub mod refusal;
pub mod signature;
pub mod status;

/// Types, client and server of `apache.rocketmq.v2`, generated from `assets/proto` and checked in, so that a build needs
/// neither `protoc` nor a build script. A test generates them anew and compares.
#[rustfmt::skip]
#[allow(
    clippy::all,
    clippy::pedantic,
    clippy::allow_attributes_without_reason,
    unreachable_pub,
    reason = "generated"
)]
#[path = "generated/apache.rocketmq.v2.rs"]
pub mod v2;
