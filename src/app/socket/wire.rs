//! What travels over the socket.

use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;

use crate::cluster::Capabilities;
use crate::cluster::admin::{
    DeadLetterResend, DeleteGroup, DeleteTopic, MessageQuery, PutGroup, PutTopic, ResetOffset,
};
use crate::cluster::error::ClusterError;
use crate::cluster::messaging::{
    Ack, ChangeInvisible, EndTransaction, ForwardToDeadLetter, OffsetQuery, Pull, Recall, Receive,
    RouteRequest, Send, UpdateOffset,
};
use crate::cluster::paging::Page;
use crate::cluster::session::{Caller, ClientSettings};
use crate::control::clock::ClockCommand;
use crate::control::error::ControlError;
use crate::control::functions::{Invoke, PutFunction, Sample};
use crate::control::instances::{PutAccessKey, PutInstance};
use crate::control::logs::{InvocationQuery, LogQuery};
use crate::control::triggers::{PutTrigger, TriggerCommand};
use crate::domain::ids::MessageId;
use crate::domain::names::{
    ClientId, FunctionName, GroupName, InstanceId, SampleName, TopicName, TriggerName,
};

/// Rises with every change that an older peer would misread.
pub const PROTOCOL: u32 = 1;

/// The owner's first line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hello {
    /// Version of the program.
    pub moonport: String,
    pub protocol: u32,
    pub pid: u32,
    /// What the owner's clusters can do.
    pub capabilities: Capabilities,
}

/// A line to the owner.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum ToOwner {
    Call {
        id: u64,
        call: Box<Call>,
    },
    /// Nobody waits for this answer any more.
    Cancel {
        id: u64,
    },
}

/// A line from the owner, after its [`Hello`].
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum FromOwner {
    Done {
        id: u64,
        value: Box<RawValue>,
    },
    Failed {
        id: u64,
        error: Failure,
    },
    /// One of a stream; the stream ends with [`FromOwner::Done`].
    Item {
        id: u64,
        value: Box<RawValue>,
    },
    /// The owner closes the connection.
    Refused {
        reason: String,
    },
}

/// Why a call failed, in the language of the seam it went to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Failure {
    Control(ControlError),
    Cluster(ClusterError),
    /// The answer or the connection, not the thing asked for.
    Socket(String),
}

/// Everything that can be asked.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Call {
    Instances,
    PutInstance(PutInstance),
    DeleteInstance(InstanceId),
    AccessKeys,
    PutAccessKey(PutAccessKey),
    DeleteAccessKey(String),
    Functions,
    PutFunction(PutFunction),
    DeleteFunction(FunctionName),
    Invoke(Invoke),
    Restart(FunctionName),
    Samples(FunctionName),
    PutSample(Sample),
    DeleteSample(FunctionName, SampleName),
    Triggers,
    PutTrigger(PutTrigger),
    DeleteTrigger(TriggerName),
    TriggerCommand(TriggerName, TriggerCommand),
    Logs(LogQuery),
    Invocations(InvocationQuery, Page),
    /// A stream: the number of the latest log record.
    LatestLog,
    Clock,
    MoveClock(ClockCommand),
    Activity {
        since: u64,
        limit: usize,
    },
    /// A stream: the number of the latest event.
    LatestEvent,
    Messaging {
        instance: InstanceId,
        caller: Caller,
        call: Box<MessagingCall>,
    },
    /// A stream: what the cluster wants of this client.
    Commands {
        instance: InstanceId,
        client: ClientId,
    },
    Admin {
        instance: InstanceId,
        call: Box<AdminCall>,
    },
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum MessagingCall {
    Route(RouteRequest),
    Send(Send),
    Receive(Receive),
    Ack(Ack),
    ChangeInvisible(ChangeInvisible),
    ForwardToDeadLetter(ForwardToDeadLetter),
    EndTransaction(EndTransaction),
    Recall(Recall),
    Pull(Pull),
    Offset(OffsetQuery),
    UpdateOffset(UpdateOffset),
    OpenSession(ClientSettings),
    Heartbeat,
    CloseSession,
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AdminCall {
    Topics(Page),
    Topic(TopicName),
    PutTopic(PutTopic),
    DeleteTopic(DeleteTopic),
    Groups(Page),
    Group(GroupName),
    PutGroup(PutGroup),
    DeleteGroup(DeleteGroup),
    Progress(GroupName),
    ResetOffset(ResetOffset),
    Messages(MessageQuery, Page),
    Pending(Option<TopicName>, Page),
    Transactions(Page),
    Trace(MessageId),
    Resend(DeadLetterResend),
    Clients(Option<GroupName>),
    Statistics,
}

impl From<ControlError> for Failure {
    fn from(error: ControlError) -> Self {
        Self::Control(error)
    }
}

impl From<ClusterError> for Failure {
    fn from(error: ClusterError) -> Self {
        Self::Cluster(error)
    }
}

impl From<Failure> for ControlError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Control(error) => error,
            Failure::Cluster(error) => Self::Cluster(error),
            Failure::Socket(problem) => Self::Unreachable(problem),
        }
    }
}

impl From<Failure> for ClusterError {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Cluster(error) | Failure::Control(ControlError::Cluster(error)) => error,
            Failure::Control(error) => Self::IllegalRequest(error.to_string()),
            Failure::Socket(problem) => Self::Unreachable(problem),
        }
    }
}
