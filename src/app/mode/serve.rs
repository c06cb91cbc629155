//! `moonport serve`: everything but the screen, until a signal.

use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::app::listening::Listening;
use crate::app::mode::socket::OwnersSocket;
use crate::app::mode::{Launch, PATIENCE};
use crate::app::owner::take;
use crate::app::signals::stop_token;
use crate::app::wiring::{Engine, EngineOptions};
use crate::cli::output::to_json;
use crate::cli::run::told;
use crate::cli::serve::Serve;
use crate::cli::session::failed;
use crate::control::Control;
use crate::control::instances::{Endpoint, InstanceRow, PutInstance};
use crate::domain::instance::InstanceDefinition;
use crate::domain::names::InstanceId;
use crate::domain::timestamp::Timestamp;
use crate::report::{Exit, Report};
use crate::workflow::apply::apply;
use crate::workflow::file::Workflow;
use crate::workflow::parse::load;
use crate::workflow::plan::plan;

/// Name of the instance that is made where there is none.
const FIRST_INSTANCE: &str = "local";

/// What a client, or a script that starts one, needs to know.
#[derive(Debug, Serialize)]
struct Ready {
    /// The endpoint of the first instance.
    grpc: Option<String>,
    instances: Vec<ReadyInstance>,
    data_dir: PathBuf,
    pid: u32,
}

#[derive(Debug, Serialize)]
struct ReadyInstance {
    id: InstanceId,
    name: String,
    grpc: Option<String>,
}

impl Launch {
    pub(super) async fn serve(&self, serve: Serve) -> Result<u8, Report> {
        let workflow = self.workflow(serve.file.as_deref())?;
        let stop = stop_token();
        let lock = take(self.data())?;
        let _log = self.log(self.data());
        let options = EngineOptions {
            listening: match serve.listen {
                Some(address) => Listening::At(address),
                None if serve.no_listen => Listening::Off,
                None => Listening::AsDefined,
            },
            anonymous: serve.anonymous,
            ..self.engine(self.data().clone())?
        };
        let engine = Engine::start(options, lock).await?;
        let done = match self.open_for_clients(&engine, workflow).await {
            Ok(socket) => {
                stop.cancelled().await;
                socket.close().await;
                Ok(0)
            }
            Err(report) => Err(report),
        };
        engine.stop(PATIENCE).await;
        done
    }

    async fn open_for_clients(
        &self,
        engine: &Engine,
        workflow: Option<Workflow>,
    ) -> Result<OwnersSocket, Report> {
        let control = &engine.control;
        if let Some(workflow) = &workflow {
            carry_over(control, workflow).await?;
        }
        first_instance(control).await?;
        let rows = control.instances.instances().await.map_err(failed)?;
        rows.iter().find_map(not_listening).map_or(Ok(()), Err)?;
        let socket = OwnersSocket::open(self.data(), control.clone())?;
        let ready = ready(&rows, self.data().root());
        self.out.line(&format!("ready {}", to_json(&ready)?))?;
        Ok(socket)
    }

    /// The workflow file named, else this folder's.
    pub(super) fn workflow(&self, named: Option<&Path>) -> Result<Option<Workflow>, Report> {
        let project = self.settings.paths.project.as_deref();
        let file = named.or(project);
        let loaded = file.map(|file| load(file).map_err(|error| told(&error)));
        loaded.transpose()
    }
}

/// Applies a workflow file; what it does not name stays.
pub(super) async fn carry_over(control: &Control, workflow: &Workflow) -> Result<(), Report> {
    let plan = plan(control, workflow, false).await;
    let plan = plan.map_err(|error| told(&error))?;
    apply(control, &plan).await.map_err(|error| told(&error))
}

/// Clients need something to connect to, so an empty directory gets an instance.
pub(super) async fn first_instance(control: &Control) -> Result<(), Report> {
    if !control
        .instances
        .instances()
        .await
        .map_err(failed)?
        .is_empty()
    {
        return Ok(());
    }
    let id = InstanceId::of_name(FIRST_INSTANCE).map_err(crate::cli::session::bad_name)?;
    let definition = InstanceDefinition::new(
        id,
        FIRST_INSTANCE.to_owned(),
        InstanceDefinition::DEFAULT_REGION.to_owned(),
        Timestamp::EPOCH,
    );
    let put = control.instances.put_instance(PutInstance { definition });
    put.await.map(drop).map_err(failed)
}

fn not_listening(row: &InstanceRow) -> Option<Report> {
    let Endpoint::NotListening { reason } = &row.endpoint else {
        return None;
    };
    let mut report = Report::plain(
        format!("instance `{}` does not listen", row.definition.name),
        Some(
            "choose another address with `--listen`, port 0 for any, or none with `--no-listen`"
                .to_owned(),
        ),
        Exit::Usage,
    );
    report.causes.push(reason.clone());
    Some(report)
}

fn ready(rows: &[InstanceRow], data_dir: &Path) -> Ready {
    let instances: Vec<ReadyInstance> = rows
        .iter()
        .map(|row| ReadyInstance {
            id: row.definition.id.clone(),
            name: row.definition.name.clone(),
            grpc: address(row),
        })
        .collect();
    Ready {
        grpc: rows.iter().find_map(address),
        instances,
        data_dir: data_dir.to_owned(),
        pid: std::process::id(),
    }
}

/// Where an instance listens.
pub(super) fn address(row: &InstanceRow) -> Option<String> {
    match &row.endpoint {
        Endpoint::Listening { address, .. } => Some(address.clone()),
        Endpoint::Off | Endpoint::NotListening { .. } => None,
    }
}
