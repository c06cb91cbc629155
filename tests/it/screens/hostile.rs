//! Whatever bytes come from outside, no cell of a screen holds a control character: bodies, keys, tags and properties of
//! messages, log lines and errors of functions, what a remote cluster calls its clients, and what it answers.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use fastrand::Rng;
use moonport::cluster::admin::{ClientRow, PutGroup, PutMode, PutTopic};
use moonport::cluster::session::ClientKind;
use moonport::control::functions::PutFunction;
use moonport::control::triggers::PutTrigger;
use moonport::domain::group::{DeliveryOrder, FirstSeen, GroupDefinition};
use moonport::domain::message::Draft;
use moonport::domain::names::{ClientId, InstanceId};
use moonport::domain::topic::{TopicDefinition, TopicType};
use moonport::domain::trigger::{TriggerDefinition, TriggerState};
use moonport::function::runtime::closure::{Context, Function, FunctionError, bytes};
use moonport::report::{Exit, Report};
use moonport::ui::effect::Ticket;
use moonport::ui::event::Event;
use moonport::ui::options::ConsoleOptions;
use moonport::ui::stage::Stage;
use moonport::ui::state::feed::{Happened, Level, What};

use super::alignment::faults;
use super::noise::{self, nasty, text};
use super::{PLACES, VIEWS, options};
use crate::support::broker::{START, draft, group, topic};
use crate::support::live::Live;
use crate::support::triggers::{closure, function, trigger};

/// Engines full of noise that the test looks at.
const ROUNDS: u64 = 4;
/// Messages in each.
const MESSAGES: usize = 24;
const SIZES: [(u16, u16); 4] = [(60, 15), (80, 24), (120, 35), (200, 60)];

/// Logs noise at every level; then it fails with noise, or answers.
async fn noisy(event: Bytes, context: Context) -> Result<String, FunctionError> {
    let seed = event.iter().map(|byte| u64::from(*byte)).sum();
    let mut rng = Rng::with_seed(seed);
    let log = context.logger();
    log.debug(text(&mut rng, 80));
    log.info(text(&mut rng, 80));
    log.warning(text(&mut rng, 80));
    log.error(text(&mut rng, 80));
    if rng.bool() {
        return Err(FunctionError::new(text(&mut rng, 20), text(&mut rng, 60)));
    }
    Ok(text(&mut rng, 40))
}

/// An engine whose every message, log line and error is noise.
async fn noisy_engine(rng: &mut Rng) -> Live {
    let live = Live::with(START, |options| {
        options.functions = vec![(function("noisy"), bytes(noisy) as Arc<dyn Function>)];
    })
    .await;
    live.put_instance("rmq-local", "local").await;
    let now = live.clock.now();
    let admin = live.cluster().admin;
    let request = PutTopic {
        definition: TopicDefinition::new(topic("noise"), TopicType::Mixed, 4, now),
        mode: PutMode::Create,
    };
    admin.put_topic(request).await.unwrap();
    let mut definition = GroupDefinition::new(group("noise"), DeliveryOrder::Concurrent, now);
    definition.first_seen = FirstSeen::Earliest;
    let request = PutGroup {
        definition,
        mode: PutMode::Create,
        join: Vec::new(),
    };
    admin.put_group(request).await.unwrap();
    let definition = closure("noisy");
    let request = PutFunction {
        definition: Box::new(definition),
    };
    live.control.functions.put_function(request).await.unwrap();
    for _ in 0..MESSAGES {
        send_noise(&live, noisy_draft(rng)).await;
    }
    let mut definition = TriggerDefinition::new(
        trigger("noise"),
        InstanceId::new("rmq-local").unwrap(),
        function("noisy"),
        topic("noise"),
        group("noise"),
    );
    definition.offset = FirstSeen::Earliest;
    let request = PutTrigger { definition };
    live.control.triggers.put_trigger(request).await.unwrap();
    loop {
        let row = live
            .wait_trigger("noise", |row| {
                let now = live.clock.now();
                let waits = row.next_attempt_at.is_some_and(|due| due > now);
                row.in_work == 0 && (waits || row.lag == 0)
            })
            .await;
        if row.lag == 0 {
            assert!(row.dead_total > 0, "some are given up");
            break;
        }
        live.step(Duration::from_secs(30));
    }
    live
}

/// Sends as much of the noise as the broker takes; what it refuses never comes to a screen.
async fn send_noise(live: &Live, noisy: Draft) {
    let bare = Draft {
        body: noisy.body.clone(),
        ..draft("noise", "")
    };
    let keyed = Draft {
        keys: noisy.keys.clone(),
        ..bare.clone()
    };
    let tagged = Draft {
        tag: noisy.tag.clone(),
        ..bare.clone()
    };
    let with_properties = Draft {
        properties: noisy.properties.clone(),
        ..bare.clone()
    };
    for draft in [noisy, keyed, tagged, with_properties, bare] {
        if live.try_send(draft).await.is_ok() {
            return;
        }
    }
}

fn noisy_draft(rng: &mut Rng) -> Draft {
    let mut draft = draft("noise", "");
    draft.body = if rng.bool() {
        noise::bytes(rng, 400).into()
    } else {
        nasty(rng, 100).into()
    };
    if rng.bool() {
        draft.tag = Some(text(rng, 12));
    }
    draft.keys = (0..rng.usize(0..3)).map(|_| text(rng, 12)).collect();
    draft.properties = (0..rng.usize(0..3))
        .map(|number| (format!("p{number}"), text(rng, 30)))
        .collect();
    draft
}

/// What a remote cluster may say of itself, and what fails with words of its own.
async fn tell_noise(stage: &mut Stage, rng: &mut Rng) {
    let report = |rng: &mut Rng| {
        let mut report = Report::plain(text(rng, 40), Some(text(rng, 40)), Exit::Failed);
        report.causes = vec![text(rng, 40), nasty(rng, 20)];
        report
    };
    let mut overview = (*stage.state.shared.newest).clone();
    for row in &mut overview.instances.rows {
        row.definition.name = text(rng, 30);
        row.definition.region = text(rng, 30);
    }
    for row in &mut overview.functions.rows {
        row.last_error = Some(text(rng, 60));
    }
    for row in &mut overview.triggers.rows {
        row.last_error = Some(text(rng, 60));
        row.why_idle = Some(text(rng, 60));
        row.state = TriggerState::StartFailed {
            error: text(rng, 60),
        };
    }
    overview.clients.rows.push(ClientRow {
        id: ClientId::new("noise@10.0.0.9@1").unwrap(),
        kind: ClientKind::PushConsumer,
        host: Some(text(rng, 30)),
        language: text(rng, 20),
        version: text(rng, 20),
        group: None,
        subscriptions: Vec::new(),
        publishing: Vec::new(),
        connected_at: START,
        last_heartbeat_at: START,
    });
    overview.topics.error = Some(report(rng));
    stage.feed(Event::Overview(Arc::new(overview))).await;
    let note = What::Note(Level::Warn, text(rng, 80));
    let happened = Happened {
        at: START,
        what: note,
    };
    stage.feed(Event::Happened(vec![happened])).await;
    stage
        .feed(Event::Done(Ticket(u64::MAX), Err(report(rng))))
        .await;
}

fn looks() -> [ConsoleOptions; 3] {
    let ascii = ConsoleOptions {
        ascii: true,
        ..options()
    };
    let plain = ConsoleOptions {
        plain: true,
        ..options()
    };
    [options(), ascii, plain]
}

#[tokio::test]
async fn fuzzed_bytes_put_no_control_character_in_a_cell() {
    const OPENED: [(&str, &str); 5] = [
        ("hex", "6 Enter b b"),
        ("text", "6 G Enter b"),
        ("again", "6 R"),
        ("dead letter again", "8 R"),
        ("notices", ": notices Enter"),
    ];
    let scenes = [PLACES, VIEWS, &OPENED].concat();
    for seed in 0..ROUNDS {
        let mut rng = Rng::with_seed(seed);
        let live = noisy_engine(&mut rng).await;
        for (number, (name, keys)) in scenes.iter().enumerate() {
            let look = looks()[number % 3].clone();
            let size = SIZES[(number + seed as usize) % SIZES.len()];
            let mut stage = live.stage(look, size.0, size.1).await;
            for key in keys.split_whitespace() {
                stage.keys(key).await;
            }
            stage.draw();
            stage.pass(Duration::ZERO).await;
            for step in ["j", "j", "G", "d", "Tab"] {
                tell_noise(&mut stage, &mut rng).await;
                let found = faults(&stage.draw());
                assert!(
                    found.is_empty(),
                    "{name} at {size:?}, seed {seed}: {found:#?}\n{}",
                    stage.text()
                );
                stage.keys(step).await;
            }
        }
    }
}
