//! Commands that take a word.

use crate::control::clock::ClockCommand;
use crate::domain::ids::MessageId;
use crate::domain::names::TopicName;
use crate::domain::span::parse_span;
use crate::ui::dialog::menu::set_theme;
use crate::ui::dialog::send::SendDialog;
use crate::ui::effect::{Deed, Effect};
use crate::ui::pane::{Command, Commands, Goto};
use crate::ui::state::Shared;
use crate::ui::state::places::{Focus, PaneId, Place};

/// `clock step 10s`, `trace ID`, `topics /order`, `send message-processing`.
pub(super) fn typed_command(text: &str, shared: &mut Shared) -> Option<Commands> {
    let (verb, rest) = text.split_once(' ')?;
    let rest = rest.trim();
    let changes = !shared.settings.read_only;
    match verb {
        "clock" if changes => {
            let command = match rest.split_once(' ') {
                Some(("step", span)) => ClockCommand::Step(parse_span(span)?),
                None if rest == "hold" => ClockCommand::Hold,
                None if rest == "resume" => ClockCommand::Resume,
                None if rest == "next" => ClockCommand::Next,
                _ => return None,
            };
            let ticket = shared.ticket();
            Some(vec![
                Effect::Act(ticket, Box::new(Deed::Clock(command))).into(),
            ])
        }
        "trace" | "message" => {
            let id = MessageId::new(rest)?;
            let pane = if verb == "trace" {
                PaneId::Traces
            } else {
                PaneId::Messages
            };
            Some(vec![Command::Go(Goto::new(pane, Focus::Message(id)))])
        }
        "send" if changes => {
            let topic = TopicName::new(rest).ok()?;
            shared.newest.topic(&topic)?;
            let dialog = SendDialog::open(Some(topic), shared);
            Some(vec![Command::Open(Box::new(dialog))])
        }
        "theme" => {
            crate::ui::state::theme_by_name(&shared.settings, rest).ok()?;
            set_theme(rest, shared);
            Some(Vec::new())
        }
        "mouse" => {
            let on = match rest {
                "on" => true,
                "off" => false,
                _ => return None,
            };
            shared.settings.mouse = on;
            Some(vec![Effect::Mouse(on).into()])
        }
        _ => {
            let filter = rest.strip_prefix('/')?;
            let place = Place::ALL.into_iter().find(|place| {
                place
                    .title()
                    .to_lowercase()
                    .starts_with(&verb.to_lowercase())
            })?;
            let pane = *place.panes().first()?;
            Some(vec![
                Command::Go(Goto::new(pane, Focus::Keep)),
                Command::Filter(filter.to_owned()),
            ])
        }
    }
}
