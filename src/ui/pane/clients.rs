//! Connected clients: who produces and who consumes.

use crate::cluster::admin::ClientRow;
use crate::cluster::session::ClientKind;
use crate::ui::action::Action;
use crate::ui::pane::instances::{loaded, staleness};
use crate::ui::pane::list::{Empty, Listing, Loaded};
use crate::ui::pane::{Commands, Offer, Subject};
use crate::ui::state::Shared;
use crate::ui::state::places::PaneId;
use crate::ui::widget::document::Document;
use crate::ui::widget::line::Line;
use crate::ui::widget::table::Column;

#[derive(Debug, Default)]
pub struct ClientList;

const COLUMNS: &[Column] = &[
    Column::id("CLIENT", 14, u16::MAX, 0),
    Column::left("KIND", 9, 15, 1),
    Column::left("GROUP", 12, 24, 2),
    Column::left("LANGUAGE", 8, 14, 4),
    Column::left("HOST", 10, 22, 5),
    Column::left("HEARTBEAT", 10, 12, 3),
];

fn kind(row: &ClientRow) -> &'static str {
    match row.kind {
        ClientKind::Producer => "producer",
        ClientKind::PushConsumer => "push consumer",
        ClientKind::SimpleConsumer => "simple consumer",
        ClientKind::PullConsumer => "pull consumer",
        ClientKind::Trigger => "trigger",
    }
}

impl Listing for ClientList {
    type Row = ClientRow;
    const ID: PaneId = PaneId::Clients;

    fn columns(&self) -> &'static [Column] {
        COLUMNS
    }

    fn rows<'a>(&'a self, shared: &'a Shared) -> &'a [ClientRow] {
        &shared.overview().clients.rows
    }

    fn loaded(&self, shared: &Shared) -> Loaded {
        loaded(&shared.overview().clients)
    }

    fn key(&self, row: &ClientRow) -> String {
        row.id.to_string()
    }

    fn haystack(&self, row: &ClientRow) -> String {
        format!(
            "{} {} {} {}",
            row.id,
            kind(row),
            row.group.as_ref().map_or("", |group| group.as_str()),
            row.language
        )
    }

    fn cell(&self, row: &ClientRow, column: usize, shared: &Shared) -> Line {
        match column {
            0 => Line::text(row.id.to_string()),
            1 => Line::text(kind(row)),
            2 => row
                .group
                .as_ref()
                .map_or_else(|| Line::muted("-"), |group| Line::text(group.to_string())),
            3 => Line::text(format!("{} {}", row.language, row.version)),
            4 => Line::text(row.host.clone().unwrap_or_else(|| "-".to_owned())),
            _ => Line::text(shared.times.ago(row.last_heartbeat_at)),
        }
    }

    fn detail(&self, row: &ClientRow, shared: &Shared, document: &mut Document) -> Line {
        document.field("client", row.id.to_string());
        document.field("kind", kind(row));
        document.field("language", format!("{} {}", row.language, row.version));
        document.field("host", row.host.clone().unwrap_or_default());
        document.field("connected", shared.times.full(row.connected_at));
        document.field("heartbeat", shared.times.ago(row.last_heartbeat_at));
        if let Some(group) = &row.group {
            document.field("group", group.to_string());
        }
        for topic in &row.publishing {
            document.field("publishes", topic.to_string());
        }
        for subscription in &row.subscriptions {
            document.field(
                "subscribes",
                format!("{}   {}", subscription.topic, subscription.filter),
            );
        }
        Line::text("Client")
    }

    fn subject(&self, row: &ClientRow, _shared: &Shared) -> Subject {
        Subject {
            id: Some(row.id.to_string()),
            group: row.group.clone(),
            topic: row
                .subscriptions
                .first()
                .map(|s| s.topic.clone())
                .or_else(|| row.publishing.first().cloned()),
            json: serde_json::to_string_pretty(row).ok(),
            ..Subject::default()
        }
    }

    fn offer(&self, _action: Action, _row: Option<&ClientRow>, _shared: &Shared) -> Offer {
        Offer::Never
    }

    fn act(
        &mut self,
        _action: Action,
        _row: Option<ClientRow>,
        _marked: Vec<ClientRow>,
        _shared: &mut Shared,
    ) -> Commands {
        Vec::new()
    }

    fn hints(&self) -> &'static [Action] {
        &[Action::GoGroup, Action::GoTopic, Action::ViewNext]
    }

    fn label(&self, action: Action) -> &'static str {
        match action {
            Action::ViewNext => "groups",
            _ => action.label(),
        }
    }

    fn note(&self, shared: &Shared) -> String {
        staleness(&shared.overview().clients, shared)
    }

    fn empty(&self, _shared: &Shared) -> Empty {
        Empty {
            what: "Producers and consumers that are connected to this instance's endpoint.",
            help: "1 shows the endpoint to connect to",
        }
    }
}
