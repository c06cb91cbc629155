//! The program's own engine under a console without a terminal: real broker, real triggers, real store, and clocks,
//! ids and random numbers that are the same in every run.

mod functions;
mod orders;

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use moonport::app::guide::OrderGuide;
use moonport::app::identity::Identity;
use moonport::app::listening::Listening;
use moonport::app::owner::take;
use moonport::app::wiring::{Engine, EngineOptions};
use moonport::clock::{BrokerClock, RealClock};
use moonport::cluster::Cluster;
use moonport::cluster::messaging::{Send, SendReceipt};
use moonport::cluster::session::Caller;
use moonport::config::paths::DataDir;
use moonport::control::Control;
use moonport::control::error::ControlError;
use moonport::control::instances::PutInstance;
use moonport::control::triggers::TriggerRow;
use moonport::domain::instance::InstanceDefinition;
use moonport::domain::message::Draft;
use moonport::domain::names::InstanceId;
use moonport::domain::timestamp::Timestamp;
use moonport::ui::options::ConsoleOptions;
use moonport::ui::stage::Stage;
use moonport::ui::theme::Depth;
use tempfile::TempDir;

use super::broker::{START, within};

/// Every random number is this: a retry waits 10 s and this many milliseconds.
const RANDOM: u64 = 2345;

pub(crate) struct Live {
    pub(crate) control: Control,
    pub(crate) clock: BrokerClock,
    pub(crate) real: RealClock,
    engine: Engine,
    folder: TempDir,
}

impl Live {
    /// A directory with nothing in it.
    pub(crate) async fn empty() -> Self {
        Self::with(START, |options| options.functions = functions::all()).await
    }

    /// A directory with nothing in it, at another moment and with other options.
    pub(crate) async fn with(start: Timestamp, change: impl FnOnce(&mut EngineOptions)) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let data = DataDir::new(folder.path().join("data")).unwrap();
        let lock = take(&data).unwrap();
        let clock = BrokerClock::still(start);
        // It still stands, but nobody has held it.
        clock.resume();
        let real = RealClock::manual();
        let mut options = EngineOptions {
            listening: Listening::Off,
            program: env!("CARGO_BIN_EXE_moonport").into(),
            identity: Identity {
                mac: [0x6A, 0xB7, 0x6B, 0x2B, 0x73, 0xF6],
                pid: 1,
                first: 0,
                host_name: "host".to_owned(),
            },
            clock: Some(clock.clone()),
            real: real.clone(),
            random: Arc::new(|bytes: &mut [u8]| {
                let number = RANDOM.to_le_bytes();
                let from = number.iter().chain(std::iter::repeat(&0));
                let pairs = bytes.iter_mut().zip(from);
                pairs.for_each(|(to, from)| *to = *from);
            }),
            function_instance_id: Some("c-6a2c0f9f-048400f6-93001d17da20".to_owned()),
            ..EngineOptions::new(data).unwrap()
        };
        change(&mut options);
        let engine = Engine::start(options, lock).await.unwrap();
        Self {
            control: engine.control.clone(),
            clock,
            real,
            engine,
            folder,
        }
    }

    /// Orders in every state that a message, a group, a function and a trigger can be in.
    pub(crate) async fn orders() -> Self {
        let live = Self::empty().await;
        orders::fill(&live).await;
        live
    }

    /// A console as it is after its first seconds.
    pub(crate) async fn stage(
        &self,
        mut options: ConsoleOptions,
        columns: u16,
        rows: u16,
    ) -> Stage {
        options.guide = Some(Arc::new(OrderGuide(self.folder.path().join("functions"))));
        if options.directory == Path::new(".") {
            options.directory = self.folder.path().to_owned();
        }
        let (control, real) = (self.control.clone(), self.real.clone());
        let mut stage = Stage::new(control, &options, real, columns, rows);
        for _ in 0..2 {
            stage.pass(Duration::from_secs(1)).await;
        }
        stage
    }

    /// True colour, everything else at its default.
    pub(crate) fn options() -> ConsoleOptions {
        ConsoleOptions::new(Depth::True)
    }

    pub(crate) fn cluster(&self) -> Cluster {
        let id = InstanceId::new("rmq-local").unwrap();
        self.control.instances.cluster(&id).unwrap()
    }

    pub(crate) async fn put_instance(&self, id: &str, name: &str) {
        let id = InstanceId::new(id).unwrap();
        let region = "ap-southeast-5".to_owned();
        let now = self.clock.now();
        let definition = InstanceDefinition::new(id, name.to_owned(), region, now);
        let request = PutInstance { definition };
        self.control.instances.put_instance(request).await.unwrap();
    }

    /// Sends a message a quarter of a second after what went before.
    pub(crate) async fn send(&self, draft: Draft) -> SendReceipt {
        self.step(Duration::from_millis(250));
        self.try_send(draft).await.unwrap()
    }

    pub(crate) async fn try_send(&self, draft: Draft) -> Result<SendReceipt, ControlError> {
        let id = InstanceId::new("rmq-local").unwrap();
        let messaging = self.control.instances.cluster(&id)?.messaging;
        let (caller, request) = (Caller::local(), Send::one(draft));
        let mut sent = messaging.send(&caller, request).await?;
        Ok(sent.pop().unwrap()?)
    }

    pub(crate) fn step(&self, span: Duration) {
        self.clock.pass(span);
        self.real.advance(span);
    }

    /// Returns once the row of a trigger is as wanted.
    pub(crate) async fn wait_trigger(
        &self,
        name: &str,
        wanted: impl Fn(&TriggerRow) -> bool,
    ) -> TriggerRow {
        within(async {
            loop {
                let rows = self.control.triggers.triggers().await.unwrap();
                let mut rows = rows.into_iter();
                let row = rows.find(|row| row.definition.name.as_str() == name);
                if let Some(row) = row.filter(&wanted) {
                    return row;
                }
                tokio::task::yield_now().await;
            }
        })
        .await
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) async fn stop(self) {
        self.engine.stop(Duration::ZERO).await;
    }
}
