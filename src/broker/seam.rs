//! The broker as the seam sees it: each call goes to its rule file.

use async_trait::async_trait;
use futures_util::stream::BoxStream;

use crate::broker::Broker;
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
use crate::cluster::{Admin, Capabilities, Capability, Messaging, Reply};
use crate::domain::ids::MessageId;
use crate::domain::names::{ClientId, GroupName, TopicName};
use crate::domain::receipt::ReceiptHandle;

#[async_trait]
impl Messaging for Broker {
    async fn route(&self, _caller: &Caller, request: RouteRequest) -> Reply<Route> {
        self.0.route(request).await
    }

    async fn send(&self, caller: &Caller, request: Send) -> Reply<Vec<Reply<SendReceipt>>> {
        self.0.send(caller, request).await
    }

    async fn receive(&self, caller: &Caller, request: Receive) -> Reply<Vec<Delivery>> {
        self.0.receive(caller, request).await
    }

    async fn ack(&self, caller: &Caller, request: Ack) -> Reply<Vec<AckOutcome>> {
        self.0.ack(caller, request).await
    }

    async fn change_invisible(
        &self,
        caller: &Caller,
        request: ChangeInvisible,
    ) -> Reply<ReceiptHandle> {
        self.0.change_invisible(caller, request).await
    }

    async fn forward_to_dead_letter(
        &self,
        caller: &Caller,
        request: ForwardToDeadLetter,
    ) -> Reply<()> {
        self.0.forward_to_dead_letter(caller, request).await
    }

    async fn end_transaction(&self, caller: &Caller, request: EndTransaction) -> Reply<()> {
        self.0.end_transaction(caller, request).await
    }

    async fn recall(&self, caller: &Caller, request: Recall) -> Reply<MessageId> {
        self.0.recall(caller, request).await
    }

    async fn pull(&self, caller: &Caller, request: Pull) -> Reply<Pulled> {
        self.0.pull(caller, request).await
    }

    async fn offset(&self, _caller: &Caller, request: OffsetQuery) -> Reply<OffsetOf> {
        self.0.offset(request)
    }

    async fn update_offset(&self, caller: &Caller, request: UpdateOffset) -> Reply<()> {
        self.0.update_offset(caller, request).await
    }

    async fn open_session(
        &self,
        caller: &Caller,
        settings: ClientSettings,
    ) -> Reply<ClientSettings> {
        self.0.open_session(caller, settings).await
    }

    async fn heartbeat(&self, caller: &Caller) -> Reply<()> {
        self.0.heartbeat(caller);
        Ok(())
    }

    async fn close_session(&self, caller: &Caller) -> Reply<()> {
        self.0.close_session(caller).await
    }

    fn commands(&self, client: &ClientId) -> BoxStream<'static, ServerCommand> {
        self.0.commands(client)
    }
}

#[async_trait]
impl Admin for Broker {
    fn capabilities(&self) -> Capabilities {
        Capabilities(
            [
                Capability::EditTopics,
                Capability::EditGroups,
                Capability::ResetOffsets,
                Capability::QueryMessages,
                Capability::PendingDelays,
                Capability::Transactions,
                Capability::Traces,
                Capability::ResendDeadLetters,
                Capability::ResendToGroup,
                Capability::Clients,
                Capability::ExactLag,
            ]
            .into(),
        )
    }

    async fn topics(&self, page: Page) -> Reply<Paged<TopicRow>> {
        Ok(self.0.topics(&page))
    }

    async fn topic(&self, topic: TopicName) -> Reply<TopicRow> {
        self.0.topic(&topic)
    }

    async fn put_topic(&self, request: PutTopic) -> Reply<TopicRow> {
        self.0.put_topic(request).await
    }

    async fn delete_topic(&self, request: DeleteTopic) -> Reply<DeleteReport> {
        self.0.delete_topic(request).await
    }

    async fn groups(&self, page: Page) -> Reply<Paged<GroupRow>> {
        self.0.groups(&page)
    }

    async fn group(&self, group: GroupName) -> Reply<GroupRow> {
        self.0.group(&group)
    }

    async fn put_group(&self, request: PutGroup) -> Reply<GroupRow> {
        self.0.put_group(request).await
    }

    async fn delete_group(&self, request: DeleteGroup) -> Reply<DeleteReport> {
        self.0.delete_group(request).await
    }

    async fn progress(&self, group: GroupName) -> Reply<Vec<GroupProgress>> {
        self.0.progress(&group)
    }

    async fn reset_offset(&self, request: ResetOffset) -> Reply<ResetReport> {
        self.0.reset_offset(request).await
    }

    async fn messages(&self, query: MessageQuery, page: Page) -> Reply<Paged<StoredMessage>> {
        self.0.messages(query, &page)
    }

    async fn pending(&self, topic: Option<TopicName>, page: Page) -> Reply<Paged<ParkedMessage>> {
        self.0.pending(topic.as_ref(), &page)
    }

    async fn transactions(&self, page: Page) -> Reply<Paged<TransactionRow>> {
        self.0.transactions(&page)
    }

    async fn trace(&self, id: MessageId) -> Reply<Vec<MessageTrace>> {
        self.0.trace(&id)
    }

    async fn resend(&self, request: DeadLetterResend) -> Reply<Vec<ResendOutcome>> {
        self.0.resend(request).await
    }

    async fn clients(&self, group: Option<GroupName>) -> Reply<Vec<ClientRow>> {
        Ok(self.0.clients(group.as_ref()))
    }

    async fn statistics(&self) -> Reply<InstanceStatistics> {
        Ok(self.0.statistics())
    }
}
