//! Custom runtimes: any executable that serves HTTP (CU-1…CU-9), or that polls the runtime API as a program built with
//! the vendor's SDK does. Whichever it does first decides.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use hyper::{Method, StatusCode};

use crate::domain::function::{ErrorClass, FunctionDefinition};
use crate::function::runtime::environment::check_files;
use crate::function::runtime::worker::api::Registration;
use crate::function::runtime::worker::ground::Ground;
use crate::function::runtime::worker::headers::{call_headers, control_path};
use crate::function::runtime::worker::health::Health;
use crate::function::runtime::worker::http::{Answered, Client};
use crate::function::runtime::worker::instance::{ApiInstance, START_PATIENCE, failure};
use crate::function::runtime::worker::running::Worker;
use crate::function::runtime::worker::workshop::Workshop;
use crate::function::runtime::{
    Answer, Call, CallKind, End, Failure, Instance, Launch, Runtime, StartError,
};

/// Between two looks at the port: often at first, then less (CU-2).
const FAST_LOOK: Duration = Duration::from_millis(10);
const SLOW_LOOK: Duration = Duration::from_millis(100);
const FAST_LOOKS: u32 = 100;
/// When a connection breaks, the news of the process's own end may follow this much later.
const EXIT_NEWS: Duration = Duration::from_millis(200);
/// What a program answers with when it failed (CU-6).
const STATUS: &str = "x-fc-status";

/// Starts executables.
pub struct CustomRuntime {
    workshop: Arc<Workshop>,
}

impl CustomRuntime {
    pub fn new(workshop: Arc<Workshop>) -> Self {
        Self { workshop }
    }
}

#[async_trait]
impl Runtime for CustomRuntime {
    fn check(&self, definition: &FunctionDefinition) -> Result<(), StartError> {
        check_files(definition)?;
        if definition.command.is_empty() && !definition.code.join("bootstrap").is_file() {
            return Err(StartError::CannotRun {
                reason: "it has no `command`, and no file `bootstrap` in its code folder"
                    .to_owned(),
                hint: Some("set `command = [\"./program\"]` in its definition".to_owned()),
            });
        }
        Ok(())
    }

    async fn start(&self, launch: Launch) -> Result<Arc<dyn Instance>, StartError> {
        self.check(&launch.definition)?;
        let mut ground = Ground::prepare(&self.workshop, &launch).await?;
        let port = self.workshop.ports.free()?;
        for name in ["FC_CUSTOM_LISTEN_PORT", "FC_SERVER_PORT"] {
            ground.environment.set(name, port.to_string());
        }
        let (program, arguments) = command(&launch.definition);
        let spawn = ground.spawn(&self.workshop, &launch.definition, program, arguments)?;
        let worker = Worker::start(&self.workshop, launch, spawn, ground.folder).await?;
        ready(worker, ground.registration, Client::new(port)).await
    }
}

/// The command line (CU-1); a relative program lies in the code folder.
fn command(definition: &FunctionDefinition) -> (OsString, Vec<OsString>) {
    let mut words = definition.command.iter();
    let program = match words.next() {
        Some(program) if program.contains('/') => definition.code.join(program).into(),
        Some(program) => program.into(),
        None => definition.code.join("bootstrap").into(),
    };
    (program, words.map(Into::into).collect())
}

async fn ready(
    worker: Worker,
    registration: Registration,
    client: Client,
) -> Result<Arc<dyn Instance>, StartError> {
    let failed = tokio::select! {
        () = registration.slot.polled() => {
            return ApiInstance::ready(worker, registration, None).await;
        }
        () = listening(&worker, &client) => None,
        exit = worker.process.exited() => Some(worker.died(exit).await),
        () = worker.workshop.real.sleep(START_PATIENCE) => Some(StartError::Died {
            reason: format!(
                "it does not listen on the port in FC_CUSTOM_LISTEN_PORT after {} seconds",
                START_PATIENCE.as_secs()
            ),
        }),
    };
    if let Some(error) = failed {
        worker.end().await;
        return Err(error);
    }
    let client = Arc::new(client);
    let log = worker.workshop.idle_log(&worker.definition);
    let real = worker.workshop.real.clone();
    let check = worker.definition.health_check.clone();
    let health = check.map(|check| Health::watch(*check, client.clone(), real, log));
    Ok(Arc::new(HttpInstance {
        worker,
        client,
        health,
    }))
}

async fn listening(worker: &Worker, client: &Client) {
    let mut looks = 0;
    while !client.can_connect().await {
        looks += 1;
        let wait = if looks < FAST_LOOKS {
            FAST_LOOK
        } else {
            SLOW_LOOK
        };
        worker.workshop.real.sleep(wait).await;
    }
}

/// A program that serves HTTP.
struct HttpInstance {
    worker: Worker,
    client: Arc<Client>,
    health: Option<Health>,
}

impl HttpInstance {
    async fn send(&self, call: &Call) -> Answer {
        let workshop = &self.worker.workshop;
        let definition = &self.worker.definition;
        let headers = call_headers(call, definition, &workshop.place, &workshop.real);
        let method = match call.kind {
            CallKind::Invoke | CallKind::Initialize => Method::POST,
            CallKind::PreStop | CallKind::PreFreeze => Method::GET,
        };
        let path = control_path(call.kind);
        match self
            .client
            .send(method, path, &headers, call.event.clone())
            .await
        {
            Ok(answered) => judge(call.kind, answered),
            Err(error) => {
                workshop.real.sleep(EXIT_NEWS).await;
                let message = error.to_string();
                Answer::Failed(Failure {
                    class: ErrorClass::FunctionUnhandledError,
                    payload: serde_json::json!({ "errorMessage": message })
                        .to_string()
                        .into(),
                    message,
                })
            }
        }
    }
}

/// What an HTTP answer means (CU-3, CU-6).
fn judge(kind: CallKind, answered: Answered) -> Answer {
    let told = answered.headers.get(STATUS);
    let good = match (kind, told) {
        (CallKind::Invoke, Some(status)) => status.as_bytes() == b"200",
        (CallKind::Invoke, None) => answered.status < StatusCode::BAD_REQUEST,
        (CallKind::Initialize | CallKind::PreStop | CallKind::PreFreeze, _) => {
            answered.status.is_success()
        }
    };
    if good {
        return Answer::Done(answered.body);
    }
    let mut failure = failure(answered.body.clone(), false);
    if serde_json::from_slice::<serde_json::Value>(&answered.body).is_err() {
        failure.message = format!("it answered with status {}", answered.status.as_u16());
        failure.payload = error_payload(&failure.message, &answered.body);
    }
    Answer::Failed(failure)
}

/// The body as it is, or an error object when there is none.
fn error_payload(message: &str, body: &Bytes) -> Bytes {
    if body.is_empty() {
        return serde_json::json!({ "errorMessage": message })
            .to_string()
            .into();
    }
    body.clone()
}

#[async_trait]
impl Instance for HttpInstance {
    async fn call(&self, call: Call) -> Answer {
        match self.worker.hook_command(call.kind) {
            Some(command) => self.worker.run_command(&call, &command).await,
            None => self.worker.during(&call, self.send(&call)).await,
        }
    }

    async fn end(&self, _why: End) {
        self.worker.end().await;
    }

    fn is_alive(&self) -> bool {
        let is_well = self.health.as_ref().is_none_or(Health::is_well);
        self.worker.process.is_running() && is_well
    }

    fn peak_memory_mb(&self) -> f64 {
        self.worker.process.peak_memory_mb()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answered(status: u16, told: Option<&'static str>, body: &'static str) -> Answered {
        let mut headers = hyper::HeaderMap::new();
        if let Some(told) = told {
            headers.insert(STATUS, told.parse().unwrap());
        }
        Answered {
            status: StatusCode::from_u16(status).unwrap(),
            headers,
            body: Bytes::from_static(body.as_bytes()),
        }
    }

    #[test]
    fn status_and_header_decide_cu6() {
        let is_good = |kind, status, told| {
            matches!(judge(kind, answered(status, told, "x")), Answer::Done(_))
        };
        assert!(is_good(CallKind::Invoke, 200, None));
        assert!(is_good(CallKind::Invoke, 200, Some("200")));
        assert!(!is_good(CallKind::Invoke, 404, Some("404")));
        assert!(!is_good(CallKind::Invoke, 200, Some("404")));
        assert!(!is_good(CallKind::Invoke, 500, None));
        assert!(is_good(CallKind::Initialize, 204, None));
        assert!(!is_good(CallKind::PreStop, 302, None));
    }

    #[test]
    fn a_failure_keeps_the_programs_own_words() {
        let failure = |status, body| match judge(CallKind::Invoke, answered(status, None, body)) {
            Answer::Failed(failure) => (failure.message, failure.payload),
            other => panic!("{other:?}"),
        };
        assert_eq!(
            failure(500, r#"{"errorMessage":"no stock","errorType":"Stock"}"#).0,
            "Stock: no stock"
        );
        assert_eq!(
            failure(500, "plain"),
            ("it answered with status 500".to_owned(), "plain".into())
        );
        assert_eq!(
            failure(404, "").1,
            r#"{"errorMessage":"it answered with status 404"}"#
        );
    }
}
