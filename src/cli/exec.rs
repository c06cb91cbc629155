//! `moonport exec`: what may be said of it.

use std::ffi::OsString;
use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub struct Exec {
    /// A workflow file to apply first
    pub file: Option<PathBuf>,
    /// The command; it finds the endpoints in its environment
    #[arg(last = true, required = true, value_name = "CMD")]
    pub command: Vec<OsString>,
}
