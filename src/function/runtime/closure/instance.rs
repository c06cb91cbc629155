//! Closures behind the runtime seam: no process, no warm-up, one instance per call in flight.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use tokio_util::sync::CancellationToken;

use crate::domain::function::{ErrorClass, FunctionDefinition};
use crate::function::log::Prefix;
use crate::function::runtime::closure::fence::Fenced;
use crate::function::runtime::closure::{Context, Function, FunctionError, FunctionInfo, trace};
use crate::function::runtime::{
    Answer, Call, CallKind, End, Exit, Failure, Instance, Launch, Runtime, StartError,
};

/// Runs one registered closure.
pub struct ClosureRuntime {
    function: Arc<dyn Function>,
    region: Arc<str>,
    account_id: Arc<str>,
}

impl ClosureRuntime {
    pub fn new(function: Arc<dyn Function>, region: &str, account_id: &str) -> Self {
        Self {
            function,
            region: region.into(),
            account_id: account_id.into(),
        }
    }
}

#[async_trait]
impl Runtime for ClosureRuntime {
    async fn start(&self, launch: Launch) -> Result<Arc<dyn Instance>, StartError> {
        Ok(Arc::new(ClosureInstance {
            function: self.function.clone(),
            info: Arc::new(info(&launch.definition)),
            region: self.region.clone(),
            account_id: self.account_id.clone(),
            ended: CancellationToken::new(),
        }))
    }
}

fn info(definition: &FunctionDefinition) -> FunctionInfo {
    FunctionInfo {
        name: definition.name.as_str().to_owned(),
        handler: definition.handler.clone(),
        memory: definition.memory,
        timeout: definition.timeout,
    }
}

struct ClosureInstance {
    function: Arc<dyn Function>,
    info: Arc<FunctionInfo>,
    region: Arc<str>,
    account_id: Arc<str>,
    ended: CancellationToken,
}

impl ClosureInstance {
    fn context(&self, call: &Call) -> Context {
        Context {
            request_id: call.request_id.clone(),
            function: self.info.clone(),
            region: self.region.clone(),
            account_id: self.account_id.clone(),
            retry_count: call.attempt.saturating_sub(1),
            attempt: call.attempt,
            deadline: call.deadline,
            cancelled: call.cancelled.clone(),
            log: call.log.clone(),
        }
    }

    async fn run(&self, kind: CallKind, event: Bytes, context: Context) -> Ran {
        match kind {
            CallKind::Invoke => self.function.invoke(event, context).await,
            CallKind::Initialize => self
                .function
                .initialize(context)
                .await
                .map(|()| Bytes::new()),
            // Closures have no use for it.
            CallKind::PreFreeze => Ok(Bytes::new()),
            CallKind::PreStop => self.function.pre_stop(context).await.map(|()| Bytes::new()),
        }
    }
}

type Ran = Result<Bytes, FunctionError>;

#[async_trait]
impl Instance for ClosureInstance {
    async fn call(&self, call: Call) -> Answer {
        let context = self.context(&call);
        let (log, cancelled) = (call.log, call.cancelled);
        let code = Fenced::new(trace::scope(
            log.clone(),
            self.run(call.kind, call.event, context),
        ));
        // Dropping the future at the deadline ends it at its next await (RS-5).
        let ran = tokio::select! {
            ran = code => ran.and_then(|ran| ran),
            () = cancelled.cancelled() => return Answer::Exited(Exit::Code(0)),
            () = self.ended.cancelled() => return Answer::Exited(Exit::Code(0)),
        };
        match ran {
            Ok(result) => Answer::Done(result),
            Err(error) => {
                let payload = error.to_json();
                log.record(Prefix::IsoTime, "ERROR", &payload);
                Answer::Failed(Failure {
                    class: ErrorClass::FunctionUnhandledError,
                    message: format!("{}: {}", error.error_type, error.message),
                    payload: payload.into(),
                })
            }
        }
    }

    async fn end(&self, _why: End) {
        self.ended.cancel();
    }

    fn is_alive(&self) -> bool {
        !self.ended.is_cancelled()
    }
}
