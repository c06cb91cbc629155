//! `moonport apply`.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub struct Apply {
    /// The workflow file
    pub file: PathBuf,
    /// Do not ask
    #[arg(long, short)]
    pub yes: bool,
}
