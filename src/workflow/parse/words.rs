//! The words of the file for values that are one of a few; read and written from the same lists.

use crate::domain::function::EventAs;
use crate::domain::group::DeliveryOrder;
use crate::domain::topic::Permission;
use crate::domain::trigger::{BodyDataType, EventSchema, Tolerance, TriggerRetry};

/// T2.
pub(super) const PERMISSIONS: [(&str, Permission); 4] = [
    ("read-write", Permission::READ_WRITE),
    ("read-only", Permission::READ_ONLY),
    ("write-only", Permission::WRITE_ONLY),
    ("none", Permission::NONE),
];
/// G4.
pub(super) const ORDERS: [(&str, DeliveryOrder); 2] = [
    ("concurrent", DeliveryOrder::Concurrent),
    ("orderly", DeliveryOrder::Orderly),
];
/// S-3.
pub(super) const EVENT_FORMS: [(&str, EventAs); 3] = [
    ("auto", EventAs::Auto),
    ("bytes", EventAs::Bytes),
    ("object", EventAs::Object),
];
/// TR-23.
pub(super) const RETRIES: [(&str, TriggerRetry); 2] = [
    ("backoff", TriggerRetry::Backoff),
    ("exponential-decay", TriggerRetry::ExponentialDecay),
];
/// TR-25.
pub(super) const TOLERANCES: [(&str, Tolerance); 2] =
    [("all", Tolerance::All), ("none", Tolerance::None)];
/// Section 8.1.
pub(super) const SCHEMAS: [(&str, EventSchema); 2] = [
    ("RawData", EventSchema::RawData),
    ("CloudEvents", EventSchema::CloudEvents),
];
/// TR-13.
pub(super) const BODY_TYPES: [(&str, BodyDataType); 3] = [
    ("JSON", BodyDataType::Json),
    ("Text", BodyDataType::Text),
    ("Binary", BodyDataType::Binary),
];

pub(in crate::workflow) fn permission(value: Permission) -> &'static str {
    word(&PERMISSIONS, value)
}

pub(in crate::workflow) fn event_form(value: EventAs) -> &'static str {
    word(&EVENT_FORMS, value)
}

pub(in crate::workflow) fn retry(value: TriggerRetry) -> &'static str {
    word(&RETRIES, value)
}

pub(in crate::workflow) fn tolerance(value: Tolerance) -> &'static str {
    word(&TOLERANCES, value)
}

pub(in crate::workflow) fn schema(value: EventSchema) -> &'static str {
    word(&SCHEMAS, value)
}

pub(in crate::workflow) fn body_type(value: BodyDataType) -> &'static str {
    word(&BODY_TYPES, value)
}

/// The first word stands in for a value the list lacks, which no constructor of these types makes.
fn word<T: PartialEq + Copy>(words: &[(&'static str, T)], value: T) -> &'static str {
    let found = words.iter().find(|(_, known)| *known == value);
    found.or(words.first()).map_or("", |(word, _)| word)
}
