//! Why a request from the wire is answered with a code: what the seam refused, or what never reached it.

use crate::cluster::error::ClusterError;
use crate::domain::names::NameError;
use crate::proto::status;
use crate::proto::v2;

/// A request that is not carried out.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error(transparent)]
    Cluster(#[from] ClusterError),
    #[error(transparent)]
    Topic(NameError),
    #[error(transparent)]
    Group(NameError),
    #[error("the request names no {0}")]
    Missing(&'static str),
    #[error("the header `x-mq-client-id` is missing or blank")]
    ClientId,
    #[error("the settings are not those of a producer, push, simple or pull consumer")]
    ClientType,
    #[error("the request holds no message")]
    NoMessages,
    #[error("messages of one request go to one topic, these go to `{0}` and `{1}`")]
    MixedTopics(String, String),
    #[error("the message id is blank")]
    MessageId,
    #[error("the transaction id is blank")]
    TransactionId,
    #[error(
        "lite topics are not available; hint: use a topic of type FIFO with a message group instead"
    )]
    Lite,
    #[error("the group has no offset on this queue")]
    Offset,
    #[error("the queue id or offset is negative")]
    Negative,
}

impl Refusal {
    /// What the client is told.
    pub fn status(&self) -> v2::Status {
        match self {
            Self::Cluster(error) => status::refusal(error),
            other => status::status(other.code(), other.to_string()),
        }
    }

    pub fn code(&self) -> v2::Code {
        match self {
            Self::Cluster(error) => status::code(error),
            Self::Topic(_) => v2::Code::IllegalTopic,
            Self::Group(_) => v2::Code::IllegalConsumerGroup,
            Self::Missing(_) => v2::Code::BadRequest,
            Self::ClientId => v2::Code::ClientIdRequired,
            Self::ClientType => v2::Code::UnrecognizedClientType,
            Self::NoMessages | Self::MixedTopics(..) => v2::Code::MessageCorrupted,
            Self::MessageId => v2::Code::IllegalMessageId,
            Self::TransactionId => v2::Code::InvalidTransactionId,
            Self::Lite => v2::Code::NotImplemented,
            Self::Offset => v2::Code::OffsetNotFound,
            Self::Negative => v2::Code::IllegalOffset,
        }
    }
}
