//! `moonport export`.

use std::path::PathBuf;

use clap::Args;

use crate::cli::session::{Session, failed};
use crate::report::{Exit, Report};
use crate::workflow::export::export;
use crate::workflow::present::SetUp;

#[derive(Debug, Args)]
pub struct Export {
    /// Write it here instead of printing it; paths below its folder become relative
    #[arg(long, short, value_name = "FILE")]
    pub output: Option<PathBuf>,
}

impl Export {
    pub async fn run(self, session: &Session) -> Result<(), Report> {
        let id = session.instance().await?.definition.id;
        let set_up = SetUp::read(&session.control, &id).await.map_err(failed)?;
        let unusable = |error: std::io::Error| {
            let headline = format!("cannot write the workflow file: {error}");
            Report::plain(headline, None, Exit::Usage)
        };
        let Some(file) = self.output else {
            let folder = std::path::absolute(".").map_err(unusable)?;
            return session.out.verbatim(&export(&set_up, &folder));
        };
        let file = std::path::absolute(file).map_err(unusable)?;
        let folder = file.parent().unwrap_or(&file);
        std::fs::write(&file, export(&set_up, folder)).map_err(unusable)
    }
}
