//! From a call to the seam and back to JSON.

use futures_util::StreamExt;
use serde::Serialize;
use serde_json::value::RawValue;
use tokio::sync::{mpsc, watch};

use crate::app::socket::wire::{AdminCall, Call, Failure, MessagingCall};
use crate::cluster::session::Caller;
use crate::cluster::{Admin, Messaging};
use crate::control::Control;

type Answer = Result<Box<RawValue>, Failure>;

/// Answers a call; a stream goes to `items` until nobody listens there.
pub async fn answer(control: &Control, call: Call, items: mpsc::Sender<Box<RawValue>>) -> Answer {
    match call {
        Call::LatestLog => numbers(control.logs.latest(), &items).await,
        Call::LatestEvent => numbers(control.activity.latest(), &items).await,
        Call::Commands { instance, client } => {
            let cluster = control.instances.cluster(&instance)?;
            let mut commands = cluster.messaging.commands(&client);
            while let Some(command) = commands.next().await {
                if items.send(json(&command)?).await.is_err() {
                    break;
                }
            }
            json(&())
        }
        Call::Messaging {
            instance,
            caller,
            call,
        } => {
            let cluster = control.instances.cluster(&instance)?;
            messaging(&*cluster.messaging, &caller, *call).await
        }
        Call::Admin { instance, call } => {
            let cluster = control.instances.cluster(&instance)?;
            admin(&*cluster.admin, *call).await
        }
        call => ask(control, call).await,
    }
}

async fn ask(control: &Control, call: Call) -> Answer {
    let Control {
        instances,
        functions,
        triggers,
        logs,
        clock,
        activity,
    } = control;
    match call {
        Call::Instances => json(&instances.instances().await?),
        Call::PutInstance(request) => json(&instances.put_instance(request).await?),
        Call::DeleteInstance(id) => json(&instances.delete_instance(id).await?),
        Call::AccessKeys => json(&instances.access_keys().await?),
        Call::PutAccessKey(request) => json(&instances.put_access_key(request).await?),
        Call::DeleteAccessKey(key) => json(&instances.delete_access_key(key).await?),
        Call::Functions => json(&functions.functions().await?),
        Call::PutFunction(request) => json(&functions.put_function(request).await?),
        Call::DeleteFunction(name) => json(&functions.delete_function(name).await?),
        Call::Invoke(request) => json(&functions.invoke(request).await?),
        Call::Restart(name) => json(&functions.restart(name).await?),
        Call::Samples(function) => json(&functions.samples(function).await?),
        Call::PutSample(sample) => json(&functions.put_sample(sample).await?),
        Call::DeleteSample(function, name) => json(&functions.delete_sample(function, name).await?),
        Call::Triggers => json(&triggers.triggers().await?),
        Call::PutTrigger(request) => json(&triggers.put_trigger(request).await?),
        Call::DeleteTrigger(name) => json(&triggers.delete_trigger(name).await?),
        Call::TriggerCommand(name, command) => json(&triggers.command(name, command).await?),
        Call::Logs(query) => json(&logs.logs(query).await?),
        Call::Invocations(query, page) => json(&logs.invocations(query, page).await?),
        Call::Clock => json(&clock.clock().await?),
        Call::MoveClock(command) => json(&clock.move_clock(command).await?),
        Call::Activity { since, limit } => json(&activity.since(since, limit).await?),
        Call::LatestLog
        | Call::LatestEvent
        | Call::Commands { .. }
        | Call::Messaging { .. }
        | Call::Admin { .. } => Err(Failure::Socket("the call was misrouted".to_owned())),
    }
}

async fn messaging(messaging: &dyn Messaging, caller: &Caller, call: MessagingCall) -> Answer {
    match call {
        MessagingCall::Route(request) => json(&messaging.route(caller, request).await?),
        MessagingCall::Send(request) => json(&messaging.send(caller, request).await?),
        MessagingCall::Receive(request) => json(&messaging.receive(caller, request).await?),
        MessagingCall::Ack(request) => json(&messaging.ack(caller, request).await?),
        MessagingCall::ChangeInvisible(request) => {
            json(&messaging.change_invisible(caller, request).await?)
        }
        MessagingCall::ForwardToDeadLetter(request) => {
            json(&messaging.forward_to_dead_letter(caller, request).await?)
        }
        MessagingCall::EndTransaction(request) => {
            json(&messaging.end_transaction(caller, request).await?)
        }
        MessagingCall::Recall(request) => json(&messaging.recall(caller, request).await?),
        MessagingCall::Pull(request) => json(&messaging.pull(caller, request).await?),
        MessagingCall::Offset(request) => json(&messaging.offset(caller, request).await?),
        MessagingCall::UpdateOffset(request) => {
            json(&messaging.update_offset(caller, request).await?)
        }
        MessagingCall::OpenSession(request) => {
            json(&messaging.open_session(caller, request).await?)
        }
        MessagingCall::Heartbeat => json(&messaging.heartbeat(caller).await?),
        MessagingCall::CloseSession => json(&messaging.close_session(caller).await?),
    }
}

async fn admin(admin: &dyn Admin, call: AdminCall) -> Answer {
    match call {
        AdminCall::Topics(page) => json(&admin.topics(page).await?),
        AdminCall::Topic(topic) => json(&admin.topic(topic).await?),
        AdminCall::PutTopic(request) => json(&admin.put_topic(request).await?),
        AdminCall::DeleteTopic(request) => json(&admin.delete_topic(request).await?),
        AdminCall::Groups(page) => json(&admin.groups(page).await?),
        AdminCall::Group(group) => json(&admin.group(group).await?),
        AdminCall::PutGroup(request) => json(&admin.put_group(request).await?),
        AdminCall::DeleteGroup(request) => json(&admin.delete_group(request).await?),
        AdminCall::Progress(group) => json(&admin.progress(group).await?),
        AdminCall::ResetOffset(request) => json(&admin.reset_offset(request).await?),
        AdminCall::Messages(query, page) => json(&admin.messages(query, page).await?),
        AdminCall::Pending(topic, page) => json(&admin.pending(topic, page).await?),
        AdminCall::Transactions(page) => json(&admin.transactions(page).await?),
        AdminCall::Trace(id) => json(&admin.trace(id).await?),
        AdminCall::Resend(request) => json(&admin.resend(request).await?),
        AdminCall::Clients(group) => json(&admin.clients(group).await?),
        AdminCall::Statistics => json(&admin.statistics().await?),
    }
}

/// The number now and after each change; changes that come faster than they are read are told as one.
async fn numbers(mut latest: watch::Receiver<u64>, items: &mpsc::Sender<Box<RawValue>>) -> Answer {
    loop {
        let number = *latest.borrow_and_update();
        if items.send(json(&number)?).await.is_err() || latest.changed().await.is_err() {
            return json(&());
        }
    }
}

fn json<T: Serialize>(value: &T) -> Answer {
    serde_json::value::to_raw_value(value)
        .map_err(|error| Failure::Socket(format!("the answer cannot be written: {error}")))
}
