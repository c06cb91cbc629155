//! Everything the palette finds: actions, places, and the names of what there is.

use super::{is_copy, is_go};
use crate::ui::action::{Action, SPECS, Spec};
use crate::ui::dialog::palette::{Entry, Then};
use crate::ui::pane::{Goto, Offer};
use crate::ui::state::State;
use crate::ui::state::places::{Focus, PaneId, Place};
use crate::ui::theme::Theme;

impl State {
    pub fn palette_entries(&self) -> Vec<Entry> {
        let mut entries: Vec<Entry> = SPECS.iter().filter_map(|spec| self.command(spec)).collect();
        entries.extend(PaneId::ALL.into_iter().map(|id| Entry {
            text: id.title().to_owned(),
            help: "",
            kind: "place",
            key: self.place_key(id),
            then: Then::Go(Goto::new(id, Focus::Keep)),
        }));
        entries.extend(self.names());
        entries.extend(self.theme_names().into_iter().map(|name| Entry {
            text: format!("theme {name}"),
            help: "",
            kind: "theme",
            key: String::new(),
            then: Then::Theme(name),
        }));
        entries
    }

    /// An action as a command; one that belongs here but not now says why.
    fn command(&self, spec: &Spec) -> Option<Entry> {
        let action = spec.action;
        if is_editing(action) || Place::by_action(action).is_some() {
            return None;
        }
        let then = match self.offer(action) {
            Offer::Yes => Then::Act(action),
            Offer::No(_) if is_go(action) || is_copy(action) => return None,
            Offer::No(why) => Then::Refuse(why),
            Offer::Never => return None,
        };
        let label = self.pane().label(action);
        Some(Entry {
            text: if is_go(action) {
                format!("go to {label}")
            } else {
                label.to_owned()
            },
            help: spec.help,
            kind: "command",
            key: self.shared.key_of(&self.chain(), action),
            then,
        })
    }

    fn place_key(&self, id: PaneId) -> String {
        let place = Place::ALL
            .into_iter()
            .find(|place| place.panes().first() == Some(&id));
        place.map_or_else(String::new, |place| {
            self.shared.key_of(&self.chain(), place.action())
        })
    }

    /// Topics, groups, functions, triggers and instances by name.
    fn names(&self) -> Vec<Entry> {
        let overview = &self.shared.newest;
        let mut entries = Vec::new();
        let mut add = |pane: PaneId, kind: &'static str, text: String, key: String| {
            entries.push(Entry {
                text,
                help: "",
                kind,
                key: String::new(),
                then: Then::Go(Goto::new(pane, Focus::Row(key))),
            });
        };
        for row in &overview.topics.rows {
            let name = row.definition.name.to_string();
            add(PaneId::Topics, "topic", name.clone(), name);
        }
        for row in &overview.groups.rows {
            let name = row.definition.name.to_string();
            add(PaneId::Groups, "group", name.clone(), name);
        }
        for row in &overview.functions.rows {
            let name = row.definition.name.to_string();
            add(PaneId::Functions, "function", name.clone(), name);
        }
        for row in &overview.triggers.rows {
            let name = row.definition.name.to_string();
            add(PaneId::Triggers, "trigger", name.clone(), name);
        }
        for row in &overview.instances.rows {
            let (name, id) = (&row.definition.name, &row.definition.id);
            add(PaneId::Instances, "instance", name.clone(), id.to_string());
        }
        entries
    }

    pub fn theme_names(&self) -> Vec<String> {
        let own = self.shared.settings.own_themes.iter();
        let builtin = Theme::names().into_iter().map(str::to_owned);
        builtin.chain(own.map(|(name, _)| name.clone())).collect()
    }
}

/// Actions inside texts, lists and dialogs, which the palette does not offer.
fn is_editing(action: Action) -> bool {
    let name = action.name();
    [
        "move.", "edit.", "form.", "pick.", "answer.", "page.", "guide.", "submit", "more", "back",
        "close", "palette", "pane.",
    ]
    .iter()
    .any(|prefix| name.starts_with(prefix))
}
