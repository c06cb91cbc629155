//! What `update` asks the world to do; data only. [`crate::ui::engine`] carries it out aside.

use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;

use crate::cluster::admin::{
    DeadLetterResend, DeleteGroup, DeleteReport, DeleteTopic, GroupProgress, MessageQuery,
    MessageTrace, ParkedMessage, PutGroup, PutTopic, ResendOutcome, ResetOffset, ResetReport,
    StoredMessage, TransactionRow,
};
use crate::cluster::messaging::{EndTransaction, Recall, SendReceipt};
use crate::cluster::paging::{Page, Paged};
use crate::control::clock::ClockCommand;
use crate::control::functions::{Invoke, InvokeReply, PutFunction, Sample};
use crate::control::instances::PutInstance;
use crate::control::logs::{InvocationQuery, LogPage, LogQuery};
use crate::control::triggers::{PutTrigger, TriggerCommand};
use crate::domain::function::InvocationRecord;
use crate::domain::ids::MessageId;
use crate::domain::message::Draft;
use crate::domain::names::{FunctionName, GroupName, InstanceId, TopicName, TriggerName};
use crate::report::Report;

/// Tells one question from the next, so that a late answer is dropped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Reads something of the instance shown.
    Query(Ticket, Query),
    /// Changes something.
    Act(Ticket, Box<Deed>),
    /// Shows another instance from now on.
    Use(InstanceId),
    /// Reads the overview again now.
    Reload,
    /// Ends the sending in the background.
    StopSending,
    Copy(String),
    Save(Ticket, SaveFile),
    /// Keeps a draft or a history across restarts.
    Remember(&'static str, String),
    /// Leaves the screen for `$EDITOR`.
    Edit(Ticket, EditText),
    /// Prints text without borders until a key, for terminals without a clipboard.
    PlainPage(String),
    Suspend,
    Repaint,
    Mouse(bool),
    Quit(QuitMode),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum QuitMode {
    /// Finish what runs, then stop.
    Drain,
    Now,
    /// The screen ends, and a process without one goes on with the broker.
    Leave,
}

/// A question and, with its answer, a [`Answer`].
#[derive(Debug, Clone, PartialEq)]
pub enum Query {
    Messages(MessageQuery, Page),
    Pending(Option<TopicName>, Page),
    Transactions(Page),
    Trace(MessageId),
    Progress(GroupName),
    Logs(LogQuery),
    Invocations(InvocationQuery, Page),
    Samples(FunctionName),
    DeleteTopic(TopicName),
    DeleteGroup(GroupName),
    Reset(ResetOffset),
    /// What the guide needs; reads files.
    Guide,
}

#[derive(Debug, Clone, PartialEq)]
pub enum Answer {
    Messages(Paged<StoredMessage>),
    Pending(Paged<ParkedMessage>),
    Transactions(Paged<TransactionRow>),
    Traces(Vec<MessageTrace>),
    Progress(Vec<GroupProgress>),
    Logs(LogPage),
    Invocations(Paged<InvocationRecord>),
    Samples(Vec<Sample>),
    WouldDelete(DeleteReport),
    WouldReset(ResetReport),
    Guide(Box<crate::ui::options::GuideScript>),
}

/// A change.
#[derive(Debug, Clone, PartialEq)]
pub enum Deed {
    Send(SendPlan),
    PutTopic(PutTopic),
    DeleteTopic(DeleteTopic),
    PutGroup(PutGroup),
    DeleteGroup(DeleteGroup),
    PutFunction(PutFunction),
    DeleteFunction(FunctionName),
    RestartFunction(FunctionName),
    Invoke(Invoke),
    PutTrigger(PutTrigger),
    DeleteTrigger(TriggerName),
    TriggerCommand(TriggerName, TriggerCommand),
    PutInstance(PutInstance),
    DeleteInstance(InstanceId),
    Reset(ResetOffset),
    Resend(DeadLetterResend),
    Recall(Recall),
    EndTransaction(EndTransaction),
    Clock(ClockCommand),
    GuideStep(Box<GuideDeed>),
}

/// One or more steps of the guide, done in order; the first that fails ends it.
#[derive(Debug, Clone, PartialEq)]
pub struct GuideDeed {
    pub steps: Vec<Deed>,
}

/// Messages to send, one after the other.
#[derive(Debug, Clone, PartialEq)]
pub struct SendPlan {
    /// Placeholders are filled in per message.
    pub template: Draft,
    pub repeat: u32,
    pub every: Duration,
    pub stop_on_error: bool,
    /// What becomes of each half message.
    pub then: Option<crate::cluster::messaging::Resolution>,
    /// Placeholders are filled in; false sends the bytes as they are.
    pub fill: bool,
    /// Number of the first message, from 1.
    pub first: u64,
}

/// What came of a deed.
#[derive(Debug, Clone, PartialEq)]
pub enum Done {
    Sent(SendReport),
    Deleted(DeleteReport),
    Reset(ResetReport),
    Resent(Vec<ResendOutcome>),
    Invoked(Box<InvokeReply>),
    Recalled(MessageId),
    /// It was put or done; what, in a few words.
    Put(String),
    Saved {
        path: PathBuf,
        bytes: u64,
    },
    Edited(Option<Bytes>),
    Copied {
        bytes: usize,
        how: &'static str,
    },
}

/// How sending went so far.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct SendReport {
    pub asked: u32,
    pub sent: u32,
    pub failed: u32,
    /// The last receipt, and how long it took.
    pub last: Option<SendReceipt>,
    pub took_ms: f64,
    pub error: Option<Report>,
    /// More follow.
    pub running: bool,
}

/// A file to write.
#[derive(Debug, Clone, PartialEq)]
pub struct SaveFile {
    pub folder: SaveIn,
    pub path: PathBuf,
    pub content: SaveContent,
}

/// Where a relative name is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SaveIn {
    /// The directory the program was started in.
    Directory,
    /// The templates of the configuration folder.
    Templates,
}

#[derive(Debug, Clone, PartialEq)]
pub enum SaveContent {
    Bytes(Bytes),
    /// The log that matches, read page by page; as it is, or a JSON object a line.
    Log {
        query: LogQuery,
        json: bool,
    },
}

/// A text to edit outside.
#[derive(Debug, Clone, PartialEq)]
pub enum EditText {
    /// Comes back changed.
    Text { bytes: Bytes, suffix: &'static str },
    /// An existing file, changed in place.
    File(PathBuf),
}
