//! Outcomes on the wire: what each error of the seam is as a [`Code`]. Calls never choose a code themselves.

use crate::cluster::error::ClusterError;
use crate::domain::names::{GroupName, TopicName};
use crate::proto::v2::{Code, Status};
use crate::report::Hint as _;

/// Success.
pub fn ok() -> Status {
    status(Code::Ok, "OK")
}

/// A code with a text for the developer who reads the client's log.
pub fn status(code: Code, message: impl Into<String>) -> Status {
    Status {
        code: code.into(),
        message: message.into(),
    }
}

/// An error of the seam as clients see it, its hint included.
pub fn refusal(error: &ClusterError) -> Status {
    let message = match error.hint() {
        Some(hint) => format!("{error}; hint: {hint}"),
        None => error.to_string(),
    };
    status(code(error), message)
}

/// What holds for a request whose parts have these outcomes: the one they share, or that they differ. Some clients take
/// nothing but OK for success.
pub fn overall<'a>(parts: impl IntoIterator<Item = &'a Option<Status>>) -> Status {
    let mut parts = parts.into_iter().flatten();
    let first = parts.next().cloned().unwrap_or_else(ok);
    if parts.all(|part| part.code == first.code) {
        first
    } else {
        status(Code::MultipleResults, "the parts have different outcomes")
    }
}

/// The code of an error. Clients act on some of them: they drop a message on `INVALID_RECEIPT_HANDLE`, back off on
/// `TOO_MANY_REQUESTS`, and take `MESSAGE_NOT_FOUND` for an empty answer.
pub fn code(error: &ClusterError) -> Code {
    match error {
        ClusterError::TopicNotFound(_) => Code::TopicNotFound,
        ClusterError::GroupNotFound(_) => Code::ConsumerGroupNotFound,
        ClusterError::MessageNotFound(_) | ClusterError::NotRecallable(_) => Code::MessageNotFound,
        ClusterError::TopicExists(_) | ClusterError::GroupExists(_) => Code::PreconditionFailed,
        ClusterError::IllegalName(_) | ClusterError::IllegalRequest(_) => Code::BadRequest,
        ClusterError::TypeMismatch { .. } | ClusterError::ConflictingTypes(_) => {
            Code::MessagePropertyConflictWithType
        }
        ClusterError::MessageGroupRequired(_) | ClusterError::IllegalMessageGroup(_) => {
            Code::IllegalMessageGroup
        }
        ClusterError::BodyTooLarge { .. } => Code::MessageBodyTooLarge,
        ClusterError::BodyEmpty => Code::MessageBodyEmpty,
        ClusterError::PropertiesTooLarge(_) => Code::MessagePropertiesTooLarge,
        ClusterError::IllegalPropertyKey(_) => Code::IllegalMessagePropertyKey,
        ClusterError::IllegalTag(_) => Code::IllegalMessageTag,
        ClusterError::IllegalKey(_) => Code::IllegalMessageKey,
        ClusterError::IllegalMessageId(_) => Code::IllegalMessageId,
        ClusterError::DelayTooLong { .. } => Code::IllegalDeliveryTime,
        ClusterError::IllegalInvisible { .. } => Code::IllegalInvisibleTime,
        ClusterError::IllegalOffset { .. } => Code::IllegalOffset,
        ClusterError::IllegalFilter(_) => Code::IllegalFilterExpression,
        ClusterError::ReceiptExpired | ClusterError::IllegalReceipt => Code::InvalidReceiptHandle,
        ClusterError::TransactionNotFound(_) => Code::InvalidTransactionId,
        ClusterError::Forbidden(_) => Code::Forbidden,
        ClusterError::Unauthenticated(_) => Code::Unauthorized,
        ClusterError::Throttled { .. } => Code::TooManyRequests,
        ClusterError::StoreFull(_) | ClusterError::StoreFailed(_) => Code::InternalServerError,
        ClusterError::Unsupported(_) => Code::NotImplemented,
        ClusterError::Unreachable(_) => Code::HaNotAvailable,
        ClusterError::Stopping => Code::InternalError,
        ClusterError::Refused { code, .. } => {
            Code::try_from(*code).unwrap_or(Code::InternalServerError)
        }
    }
}

/// The other way, at the client of a cluster elsewhere: what its status means for a request about `subject`. Errors that
/// carry more than the wire does stay [`ClusterError::Refused`], with their code.
pub fn outcome(status: Option<&Status>, subject: &Subject) -> Result<(), ClusterError> {
    let Some(status) = status else {
        let nothing = "the cluster answered without a status";
        return Err(ClusterError::Unreachable(nothing.to_owned()));
    };
    let text = status.message.clone();
    let topic = subject.topic.clone();
    let group = subject.group.clone();
    let error = match (Code::try_from(status.code), topic, group) {
        (Ok(Code::Ok), ..) => return Ok(()),
        (Ok(Code::TopicNotFound), Some(topic), _) => ClusterError::TopicNotFound(topic),
        (Ok(Code::ConsumerGroupNotFound), _, Some(group)) => ClusterError::GroupNotFound(group),
        (Ok(Code::MessageNotFound), ..) => ClusterError::MessageNotFound(text),
        (Ok(Code::BadRequest), ..) => ClusterError::IllegalRequest(text),
        (Ok(Code::MessageBodyEmpty), ..) => ClusterError::BodyEmpty,
        (Ok(Code::InvalidReceiptHandle), ..) => ClusterError::ReceiptExpired,
        (Ok(Code::IllegalFilterExpression), ..) => ClusterError::IllegalFilter(text),
        (Ok(Code::InvalidTransactionId), ..) => ClusterError::TransactionNotFound(text),
        (Ok(Code::Forbidden), ..) => ClusterError::Forbidden(text),
        (Ok(Code::Unauthorized), ..) => ClusterError::Unauthenticated(text),
        (Ok(Code::NotImplemented), ..) => ClusterError::Unsupported(text),
        _ => ClusterError::Refused {
            code: status.code,
            message: text,
        },
    };
    Err(error)
}

/// What a request was about, to tell its failure by name.
#[derive(Debug, Clone, Default)]
pub struct Subject {
    pub topic: Option<TopicName>,
    pub group: Option<GroupName>,
}

#[cfg(test)]
mod tests {
    use super::{Subject, code, outcome, refusal, status};
    use crate::cluster::error::ClusterError;
    use crate::domain::message::MessageType;
    use crate::domain::names::{GroupName, TopicName};
    use crate::domain::topic::TopicType;
    use crate::proto::v2::Code;

    /// The protocol's codes, as clients compile them in.
    const CODES: [(&str, i32); 54] = [
        ("CODE_UNSPECIFIED", 0),
        ("OK", 20_000),
        ("MULTIPLE_RESULTS", 30_000),
        ("BAD_REQUEST", 40_000),
        ("ILLEGAL_ACCESS_POINT", 40_001),
        ("ILLEGAL_TOPIC", 40_002),
        ("ILLEGAL_CONSUMER_GROUP", 40_003),
        ("ILLEGAL_MESSAGE_TAG", 40_004),
        ("ILLEGAL_MESSAGE_KEY", 40_005),
        ("ILLEGAL_MESSAGE_GROUP", 40_006),
        ("ILLEGAL_MESSAGE_PROPERTY_KEY", 40_007),
        ("INVALID_TRANSACTION_ID", 40_008),
        ("ILLEGAL_MESSAGE_ID", 40_009),
        ("ILLEGAL_FILTER_EXPRESSION", 40_010),
        ("ILLEGAL_INVISIBLE_TIME", 40_011),
        ("ILLEGAL_DELIVERY_TIME", 40_012),
        ("INVALID_RECEIPT_HANDLE", 40_013),
        ("MESSAGE_PROPERTY_CONFLICT_WITH_TYPE", 40_014),
        ("UNRECOGNIZED_CLIENT_TYPE", 40_015),
        ("MESSAGE_CORRUPTED", 40_016),
        ("CLIENT_ID_REQUIRED", 40_017),
        ("ILLEGAL_POLLING_TIME", 40_018),
        ("ILLEGAL_OFFSET", 40_019),
        ("ILLEGAL_LITE_TOPIC", 40_020),
        ("INVALID_CLIENT_PROPERTIES", 40_021),
        ("UNAUTHORIZED", 40_100),
        ("PAYMENT_REQUIRED", 40_200),
        ("FORBIDDEN", 40_300),
        ("NOT_FOUND", 40_400),
        ("MESSAGE_NOT_FOUND", 40_401),
        ("TOPIC_NOT_FOUND", 40_402),
        ("CONSUMER_GROUP_NOT_FOUND", 40_403),
        ("OFFSET_NOT_FOUND", 40_404),
        ("REQUEST_TIMEOUT", 40_800),
        ("PAYLOAD_TOO_LARGE", 41_300),
        ("MESSAGE_BODY_TOO_LARGE", 41_301),
        ("MESSAGE_BODY_EMPTY", 41_302),
        ("PRECONDITION_FAILED", 42_800),
        ("TOO_MANY_REQUESTS", 42_900),
        ("LITE_TOPIC_QUOTA_EXCEEDED", 42_901),
        ("LITE_SUBSCRIPTION_QUOTA_EXCEEDED", 42_902),
        ("REQUEST_HEADER_FIELDS_TOO_LARGE", 43_100),
        ("MESSAGE_PROPERTIES_TOO_LARGE", 43_101),
        ("INTERNAL_ERROR", 50_000),
        ("INTERNAL_SERVER_ERROR", 50_001),
        ("HA_NOT_AVAILABLE", 50_002),
        ("NOT_IMPLEMENTED", 50_100),
        ("PROXY_TIMEOUT", 50_400),
        ("MASTER_PERSISTENCE_TIMEOUT", 50_401),
        ("SLAVE_PERSISTENCE_TIMEOUT", 50_402),
        ("UNSUPPORTED", 50_500),
        ("VERSION_UNSUPPORTED", 50_501),
        ("VERIFY_FIFO_MESSAGE_UNSUPPORTED", 50_502),
        ("FAILED_TO_CONSUME_MESSAGE", 60_000),
    ];

    #[test]
    fn every_code_has_its_number_e4() {
        for (name, number) in CODES {
            let code = Code::from_str_name(name).unwrap_or_else(|| panic!("no code {name}"));
            assert_eq!(i32::from(code), number, "{name}");
            assert_eq!(Code::try_from(number), Ok(code), "{name}");
        }
        let known = (0..=60_100).filter(|number| Code::try_from(*number).is_ok());
        assert_eq!(known.count(), CODES.len());
    }

    #[test]
    fn a_lost_lease_and_an_empty_answer_have_the_codes_clients_act_on() {
        assert_eq!(
            code(&ClusterError::ReceiptExpired),
            Code::InvalidReceiptHandle
        );
        let nothing = ClusterError::MessageNotFound("no new message".to_owned());
        assert_eq!(code(&nothing), Code::MessageNotFound);
        assert_eq!(
            code(&ClusterError::Unsupported("have lite topics".to_owned())),
            Code::NotImplemented
        );
    }

    #[test]
    fn every_error_keeps_its_code_over_the_wire() {
        let (topic, group) = (TopicName::new("t").unwrap(), GroupName::new("g").unwrap());
        let text = || "x".to_owned();
        let subject = Subject {
            topic: Some(topic.clone()),
            group: Some(group.clone()),
        };
        for error in [
            ClusterError::TopicNotFound(topic.clone()),
            ClusterError::GroupNotFound(group.clone()),
            ClusterError::MessageNotFound(text()),
            ClusterError::TopicExists(topic.clone()),
            ClusterError::GroupExists(group),
            ClusterError::IllegalName(text()),
            ClusterError::TypeMismatch {
                topic: topic.clone(),
                takes: TopicType::Fifo,
                given: MessageType::Normal,
            },
            ClusterError::MessageGroupRequired(topic),
            ClusterError::ConflictingTypes(text()),
            ClusterError::BodyTooLarge { size: 2, limit: 1 },
            ClusterError::BodyEmpty,
            ClusterError::PropertiesTooLarge(text()),
            ClusterError::IllegalPropertyKey(text()),
            ClusterError::IllegalTag(text()),
            ClusterError::IllegalKey(text()),
            ClusterError::IllegalMessageGroup(text()),
            ClusterError::IllegalMessageId(text()),
            ClusterError::DelayTooLong {
                asked_ms: 2,
                limit_ms: 1,
            },
            ClusterError::IllegalInvisible {
                asked_ms: 3,
                min_ms: 1,
                max_ms: 2,
            },
            ClusterError::IllegalOffset {
                offset: 3,
                min: 1,
                max: 2,
            },
            ClusterError::IllegalFilter(text()),
            ClusterError::ReceiptExpired,
            ClusterError::IllegalReceipt,
            ClusterError::TransactionNotFound(text()),
            ClusterError::NotRecallable(text()),
            ClusterError::Forbidden(text()),
            ClusterError::Unauthenticated(text()),
            ClusterError::Throttled {
                what: text(),
                limit: 1,
            },
            ClusterError::IllegalRequest(text()),
            ClusterError::StoreFull(text()),
            ClusterError::StoreFailed(text()),
            ClusterError::Unsupported(text()),
            ClusterError::Unreachable(text()),
            ClusterError::Stopping,
        ] {
            let told = refusal(&error);
            let heard = outcome(Some(&told), &subject).unwrap_err();
            assert_eq!(code(&heard), code(&error), "{error:?}");
        }
    }

    #[test]
    fn a_refusal_carries_the_hint() {
        assert_eq!(
            refusal(&ClusterError::BodyEmpty),
            status(
                Code::MessageBodyEmpty,
                "the body is empty; hint: give the message a body of at least one byte"
            )
        );
    }
}
