//! News as notices: what deeds came to, and what happened in the engine.

use crate::domain::names::TopicName;
use crate::report::Report;
use crate::ui::action::Action;
use crate::ui::dialog::page::Page;
use crate::ui::effect::{Done, Effect, SendReport, Ticket};
use crate::ui::pane::{Command, Commands, Goto};
use crate::ui::state::feed::{Happened, Level, Request, Running, What};
use crate::ui::state::places::{Focus, PaneId};
use crate::ui::state::{Shared, State};
use crate::ui::widget::numbers;
use crate::ui::widget::safe;

/// A deed ended: its dialog tells, or a notice does.
pub(super) fn done(state: &mut State, ticket: Ticket, done: &Result<Done, Report>) -> Commands {
    track_sending(state, ticket, done);
    for at in (0..state.layers.len()).rev() {
        if let Some(commands) = state.layers[at].done(ticket, done, &mut state.shared) {
            let is_top = at + 1 == state.layers.len();
            // Only the dialog on top can close itself.
            return commands
                .into_iter()
                .filter(|command| is_top || !matches!(command, Command::Close))
                .collect();
        }
    }
    tell_done(done, &mut state.shared);
    let mut commands: Commands = vec![Effect::Reload.into()];
    if let Ok(Done::Resent(outcomes)) = done
        && outcomes.len() > 1
    {
        commands.push(Command::Open(Box::new(Page::resent(outcomes))));
    }
    commands
}

fn track_sending(state: &mut State, ticket: Ticket, done: &Result<Done, Report>) {
    match done {
        Ok(Done::Sent(report)) if report.running => state.sending = Some(ticket),
        _ if state.sending == Some(ticket) => state.sending = None,
        _ => {}
    }
}

/// Tells the outcome of a deed on the notice line.
pub fn tell_done(done: &Result<Done, Report>, shared: &mut Shared) {
    let done = match done {
        Ok(done) => done,
        Err(report) => {
            shared.notice_report(report);
            return;
        }
    };
    match done {
        Done::Sent(report) => tell_sent(report, shared),
        Done::Deleted(report) => {
            let gone = report.messages + report.pending + report.dead_letters;
            let text = format!(
                "deleted, with {}",
                numbers::counted(gone, "message", "messages")
            );
            shared.notice(Level::Ok, text);
        }
        Done::Reset(report) => {
            let again: u64 = report.queues.iter().map(|row| row.redelivered).sum();
            let skipped: u64 = report.queues.iter().map(|row| row.skipped).sum();
            let text = format!(
                "offset reset: {} come again, {} skipped",
                numbers::count(again),
                numbers::count(skipped)
            );
            shared.notice(Level::Ok, text);
        }
        Done::Resent(outcomes) => {
            let failed = outcomes.iter().filter_map(|o| o.result.as_ref().err());
            let first = failed.clone().next().map(ToString::to_string);
            let bad = failed.count();
            let good = outcomes.len() - bad;
            match first {
                None => {
                    let what = numbers::counted(good as u64, "letter", "letters");
                    shared.notice(Level::Ok, format!("{what} sent again"));
                }
                Some(error) => shared.notice(
                    Level::Error,
                    format!("{good} sent again, {bad} failed: {error}"),
                ),
            }
        }
        Done::Invoked(reply) => {
            let text = match &reply.error {
                None => format!("invoked: request {}", reply.request_id),
                Some(error) => format!("the invocation failed: {}", error.as_str()),
            };
            let level = if reply.error.is_none() {
                Level::Ok
            } else {
                Level::Error
            };
            shared.notice(level, text);
        }
        Done::Recalled(id) => shared.notice(Level::Ok, format!("recalled {id}")),
        Done::Put(what) => shared.notice(Level::Ok, what.clone()),
        Done::Saved { path, bytes } => shared.notice(
            Level::Ok,
            format!("wrote {} to {}", numbers::bytes(*bytes), path.display()),
        ),
        Done::Edited(_) => {}
        Done::Copied { bytes, how } => shared.notice(
            Level::Ok,
            format!("copied {} by {how}", numbers::bytes(*bytes as u64)),
        ),
    }
}

fn tell_sent(report: &SendReport, shared: &mut Shared) {
    let Some(receipt) = &report.last else {
        if let Some(error) = &report.error {
            shared.notice_report(error);
        }
        return;
    };
    let id = safe::cut_middle(receipt.id.as_str(), 13).into_owned();
    let mut text = if report.asked > 1 {
        format!("sent {} of {}, last {id}", report.sent, report.asked)
    } else {
        format!("sent {id}")
    };
    text.push_str(&format!(
        " · queue {} · offset {} · {}",
        receipt.queue,
        numbers::count(receipt.offset),
        numbers::millis(report.took_ms)
    ));
    let mut level = if report.running {
        Level::Info
    } else {
        Level::Ok
    };
    if report.failed > 0 {
        level = Level::Warn;
        text.push_str(&format!(" · {} failed", report.failed));
    }
    let message = Goto::new(PaneId::Messages, Focus::Message(receipt.id.clone()));
    let trace = Goto::new(PaneId::Traces, Focus::Message(receipt.id.clone()));
    let links = vec![(Action::GoMessage, message), (Action::GoTrace, trace)];
    shared.notice_with(level, text, None, links);
}

/// What happened in the engine.
pub(super) fn happened(state: &mut State, events: Vec<Happened>) {
    let mut dead = 0_u64;
    let mut dead_group = None;
    for event in events {
        let shared = &mut state.shared;
        match event.what {
            What::Stored(topic) => *shared.stored.entry(topic.to_string()).or_default() += 1,
            What::Dead(group) => {
                dead += 1;
                dead_group = Some(group);
            }
            What::Lost(group, topic, count) => shared.notice(
                Level::Warn,
                format!(
                    "{} of {topic} left by retention before {group} consumed them",
                    numbers::counted(count, "message", "messages")
                ),
            ),
            What::Started {
                function,
                request,
                attempt,
                ..
            } => shared.runs.started(
                Request {
                    function,
                    id: request,
                },
                Running {
                    since: event.at,
                    attempt,
                },
            ),
            What::Ended {
                function, request, ..
            } => shared.runs.ended(&Request {
                function,
                id: request,
            }),
            What::Note(level, text) => shared.notice(level, text),
            What::Missed(count) => shared.notice(
                Level::Info,
                format!("{} events went by unseen", numbers::count(count)),
            ),
        }
        state.dirty = true;
    }
    if let Some(group) = dead_group {
        let topic = TopicName::dead_letter_of(&group);
        let text = format!(
            "{} moved to the dead letters of {group}",
            numbers::counted(dead, "message", "messages")
        );
        let goto = Goto::new(PaneId::Dead, Focus::DeadTopic(topic));
        state
            .shared
            .notice_with(Level::Warn, text, None, vec![(Action::GoDead, goto)]);
    }
}
