//! One command: through the owner of the data directory where there is one, else in this process.

use tokio_util::sync::CancellationToken;

use crate::app::listening::Listening;
use crate::app::mode::{Launch, PATIENCE};
use crate::app::owner::{Access, reach};
use crate::app::signals::stop_token;
use crate::app::socket;
use crate::app::wiring::{Engine, EngineOptions};
use crate::cli::args::Command;
use crate::cli::session::Session;
use crate::cli::{carry_out, check};
use crate::report::{Exit, Report};

/// Why a process that lives for one command has no endpoint.
const NO_ENDPOINT: &str = "no console and no `moonport serve` runs on this data directory";

impl Launch {
    pub(super) async fn command(&self, command: Command) -> Result<u8, Report> {
        check(&command)?;
        let stop = stop_token();
        match reach(self.data(), &self.real).await? {
            Access::Beside(client) => {
                let session = self.session(socket::control::control(client));
                carried(command, &session, &stop).await
            }
            Access::Owner(lock) => {
                let _log = self.log(self.data());
                let options = EngineOptions {
                    listening: Listening::Nowhere(NO_ENDPOINT),
                    triggers_run: false,
                    ..self.engine(self.data().clone())?
                };
                let engine = Engine::start(options, lock).await?;
                let session = self.session(engine.control.clone());
                let done = carried(command, &session, &stop).await;
                engine.stop(PATIENCE).await;
                done
            }
        }
    }
}

/// A signal ends a command that follows; any other is broken off by it.
async fn carried(
    command: Command,
    session: &Session,
    stop: &CancellationToken,
) -> Result<u8, Report> {
    let follows = matches!(&command, Command::Logs(logs) if logs.follow);
    match stop.run_until_cancelled(carry_out(command, session)).await {
        Some(Some(done)) => done.map(|()| 0),
        None if follows => Ok(0),
        Some(None) | None => Err(Report::plain("interrupted", None, Exit::Failed)),
    }
}
