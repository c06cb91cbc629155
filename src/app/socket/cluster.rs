//! `cluster` over the socket: one instance of the owner.

use async_trait::async_trait;
use futures_util::stream::{self, BoxStream, StreamExt};
use serde::de::DeserializeOwned;

use crate::app::socket::client::Client;
use crate::app::socket::wire::{AdminCall, Call, MessagingCall};
use crate::cluster::admin::{
    ClientRow, DeadLetterResend, DeleteGroup, DeleteReport, DeleteTopic, GroupProgress, GroupRow,
    InstanceStatistics, MessageQuery, MessageTrace, ParkedMessage, PutGroup, PutTopic,
    ResendOutcome, ResetOffset, ResetReport, StoredMessage, TopicRow, TransactionRow,
};
use crate::cluster::messaging::{
    Ack, AckOutcome, ChangeInvisible, Delivery, EndTransaction, ForwardToDeadLetter, OffsetOf,
    OffsetQuery, Pull, Pulled, Recall, Receive, Route, RouteRequest, Send, SendReceipt,
    UpdateOffset,
};
use crate::cluster::paging::{Page, Paged};
use crate::cluster::session::{Caller, ClientSettings, ServerCommand};
use crate::cluster::{Admin, Capabilities, Messaging, Reply};
use crate::domain::ids::MessageId;
use crate::domain::names::{ClientId, GroupName, InstanceId, TopicName};
use crate::domain::receipt::ReceiptHandle;

/// An instance behind the owner's socket.
pub struct OwnersCluster {
    client: Client,
    instance: InstanceId,
}

impl OwnersCluster {
    pub fn new(client: Client, instance: InstanceId) -> Self {
        Self { client, instance }
    }

    async fn message<T: DeserializeOwned>(&self, caller: &Caller, call: MessagingCall) -> Reply<T> {
        let call = Call::Messaging {
            instance: self.instance.clone(),
            caller: caller.clone(),
            call: Box::new(call),
        };
        self.client.ask(call).await
    }

    async fn keep<T: DeserializeOwned>(&self, call: AdminCall) -> Reply<T> {
        let call = Call::Admin {
            instance: self.instance.clone(),
            call: Box::new(call),
        };
        self.client.ask(call).await
    }
}

#[async_trait]
impl Messaging for OwnersCluster {
    async fn route(&self, caller: &Caller, request: RouteRequest) -> Reply<Route> {
        self.message(caller, MessagingCall::Route(request)).await
    }

    async fn send(&self, caller: &Caller, request: Send) -> Reply<Vec<Reply<SendReceipt>>> {
        self.message(caller, MessagingCall::Send(request)).await
    }

    async fn receive(&self, caller: &Caller, request: Receive) -> Reply<Vec<Delivery>> {
        self.message(caller, MessagingCall::Receive(request)).await
    }

    async fn ack(&self, caller: &Caller, request: Ack) -> Reply<Vec<AckOutcome>> {
        self.message(caller, MessagingCall::Ack(request)).await
    }

    async fn change_invisible(
        &self,
        caller: &Caller,
        request: ChangeInvisible,
    ) -> Reply<ReceiptHandle> {
        self.message(caller, MessagingCall::ChangeInvisible(request))
            .await
    }

    async fn forward_to_dead_letter(
        &self,
        caller: &Caller,
        request: ForwardToDeadLetter,
    ) -> Reply<()> {
        self.message(caller, MessagingCall::ForwardToDeadLetter(request))
            .await
    }

    async fn end_transaction(&self, caller: &Caller, request: EndTransaction) -> Reply<()> {
        self.message(caller, MessagingCall::EndTransaction(request))
            .await
    }

    async fn recall(&self, caller: &Caller, request: Recall) -> Reply<MessageId> {
        self.message(caller, MessagingCall::Recall(request)).await
    }

    async fn pull(&self, caller: &Caller, request: Pull) -> Reply<Pulled> {
        self.message(caller, MessagingCall::Pull(request)).await
    }

    async fn offset(&self, caller: &Caller, request: OffsetQuery) -> Reply<OffsetOf> {
        self.message(caller, MessagingCall::Offset(request)).await
    }

    async fn update_offset(&self, caller: &Caller, request: UpdateOffset) -> Reply<()> {
        self.message(caller, MessagingCall::UpdateOffset(request))
            .await
    }

    async fn open_session(
        &self,
        caller: &Caller,
        settings: ClientSettings,
    ) -> Reply<ClientSettings> {
        self.message(caller, MessagingCall::OpenSession(settings))
            .await
    }

    async fn heartbeat(&self, caller: &Caller) -> Reply<()> {
        self.message(caller, MessagingCall::Heartbeat).await
    }

    async fn close_session(&self, caller: &Caller) -> Reply<()> {
        self.message(caller, MessagingCall::CloseSession).await
    }

    fn commands(&self, client: &ClientId) -> BoxStream<'static, ServerCommand> {
        let call = Call::Commands {
            instance: self.instance.clone(),
            client: client.clone(),
        };
        let (end, items) = self.client.stream(call);
        stream::unfold((end, items), |(end, mut items)| async move {
            loop {
                let item = items.recv().await?;
                if let Ok(command) = serde_json::from_str(item.get()) {
                    return Some((command, (end, items)));
                }
            }
        })
        .boxed()
    }
}

#[async_trait]
impl Admin for OwnersCluster {
    fn capabilities(&self) -> Capabilities {
        self.client.hello().capabilities.clone()
    }

    async fn topics(&self, page: Page) -> Reply<Paged<TopicRow>> {
        self.keep(AdminCall::Topics(page)).await
    }

    async fn topic(&self, topic: TopicName) -> Reply<TopicRow> {
        self.keep(AdminCall::Topic(topic)).await
    }

    async fn put_topic(&self, request: PutTopic) -> Reply<TopicRow> {
        self.keep(AdminCall::PutTopic(request)).await
    }

    async fn delete_topic(&self, request: DeleteTopic) -> Reply<DeleteReport> {
        self.keep(AdminCall::DeleteTopic(request)).await
    }

    async fn groups(&self, page: Page) -> Reply<Paged<GroupRow>> {
        self.keep(AdminCall::Groups(page)).await
    }

    async fn group(&self, group: GroupName) -> Reply<GroupRow> {
        self.keep(AdminCall::Group(group)).await
    }

    async fn put_group(&self, request: PutGroup) -> Reply<GroupRow> {
        self.keep(AdminCall::PutGroup(request)).await
    }

    async fn delete_group(&self, request: DeleteGroup) -> Reply<DeleteReport> {
        self.keep(AdminCall::DeleteGroup(request)).await
    }

    async fn progress(&self, group: GroupName) -> Reply<Vec<GroupProgress>> {
        self.keep(AdminCall::Progress(group)).await
    }

    async fn reset_offset(&self, request: ResetOffset) -> Reply<ResetReport> {
        self.keep(AdminCall::ResetOffset(request)).await
    }

    async fn messages(&self, query: MessageQuery, page: Page) -> Reply<Paged<StoredMessage>> {
        self.keep(AdminCall::Messages(query, page)).await
    }

    async fn pending(&self, topic: Option<TopicName>, page: Page) -> Reply<Paged<ParkedMessage>> {
        self.keep(AdminCall::Pending(topic, page)).await
    }

    async fn transactions(&self, page: Page) -> Reply<Paged<TransactionRow>> {
        self.keep(AdminCall::Transactions(page)).await
    }

    async fn trace(&self, id: MessageId) -> Reply<Vec<MessageTrace>> {
        self.keep(AdminCall::Trace(id)).await
    }

    async fn resend(&self, request: DeadLetterResend) -> Reply<Vec<ResendOutcome>> {
        self.keep(AdminCall::Resend(request)).await
    }

    async fn clients(&self, group: Option<GroupName>) -> Reply<Vec<ClientRow>> {
        self.keep(AdminCall::Clients(group)).await
    }

    async fn statistics(&self) -> Reply<InstanceStatistics> {
        self.keep(AdminCall::Statistics).await
    }
}
