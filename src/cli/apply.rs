//! `moonport apply`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::confirm::confirm;
use crate::cli::run::told;
use crate::cli::session::Session;
use crate::report::Report;
use crate::workflow::apply::apply;
use crate::workflow::parse::load;
use crate::workflow::plan::plan;

#[derive(Debug, Args)]
pub struct Apply {
    /// The workflow file
    pub file: PathBuf,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
    /// Only print the plan
    #[arg(long)]
    pub dry_run: bool,
    /// Also remove what the file does not name
    #[arg(long)]
    pub remove: bool,
}

impl Apply {
    /// Reads the file, for its mistakes.
    pub fn check(&self) -> Result<(), Report> {
        load(&self.file).map(drop).map_err(|error| told(&error))
    }

    pub async fn run(self, session: &Session) -> Result<(), Report> {
        let workflow = load(&self.file).map_err(|error| told(&error))?;
        let plan = plan(&session.control, &workflow, self.remove).await;
        let plan = plan.map_err(|error| told(&error))?;
        session.out.done(&plan.to_string(), &plan)?;
        if self.dry_run || plan.is_empty() {
            return Ok(());
        }
        if !confirm("apply this?", self.yes)? {
            return session.out.line("nothing was changed");
        }
        apply(&session.control, &plan)
            .await
            .map_err(|error| told(&error))
    }
}
