//! `moonport run` and `moonport demo`: a throwaway set-up from a workflow file.

use std::time::Duration;

use crate::app::error::AppError;
use crate::app::listening::Listening;
use crate::app::mode::Launch;
use crate::app::order_workflow::{self, EVENT_FILE, WORKFLOW_FILE};
use crate::app::owner::take;
use crate::app::signals::stop_token;
use crate::app::throwaway::Throwaway;
use crate::app::wiring::{Engine, EngineOptions};
use crate::cli::run::{Run, told};
use crate::config::paths::DataDir;
use crate::report::{Exit, Report};
use crate::workflow::parse::load;

/// Any free port: runs stand side by side.
const ANY_PORT: &str = "127.0.0.1:0";

impl Launch {
    pub(super) async fn run_file(&self, run: Run) -> Result<u8, Report> {
        let workflow = load(&run.file).map_err(|error| told(&error))?;
        let drafts = run.drafts(&workflow)?;
        let stop = stop_token();
        let (throwaway, engine) = self.throwaway_engine().await?;
        let session = self.session(engine.control.clone());
        let running = run.run(&session, &workflow, drafts, &self.real);
        let done = stop.run_until_cancelled(running).await;
        engine.stop(Duration::ZERO).await;
        drop(throwaway);
        match done {
            Some(done) => done.map(|()| 0),
            None => Err(Report::plain("interrupted", None, Exit::Failed)),
        }
    }

    pub(super) async fn demo_headless(&self) -> Result<u8, Report> {
        let files = Throwaway::new()?;
        let folder = order_workflow::write(files.path()).map_err(AppError::NoThrowaway)?;
        let run = Run::once(&folder.join(WORKFLOW_FILE), &folder.join(EVENT_FILE));
        self.run_file(run).await
    }

    /// An engine over a directory that goes away with the answer's first half.
    pub(super) async fn throwaway_engine(&self) -> Result<(Throwaway, Engine), Report> {
        let throwaway = Throwaway::new()?;
        let data = DataDir::new(throwaway.path()).map_err(super::misplaced)?;
        let lock = take(&data)?;
        let options = EngineOptions {
            listening: Listening::At(ANY_PORT.to_owned()),
            ..self.engine(data)?
        };
        let engine = Engine::start(options, lock).await?;
        Ok((throwaway, engine))
    }
}
