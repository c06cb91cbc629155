//! `moonport serve`: what may be said of it.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub struct Serve {
    /// A workflow file to apply first
    pub file: Option<PathBuf>,
    /// Address of the endpoint; port 0 picks a free one
    #[arg(long, value_name = "ADDRESS", conflicts_with = "no_listen")]
    pub listen: Option<String>,
    /// No endpoint at all
    #[arg(long)]
    pub no_listen: bool,
    /// Beyond loopback, let clients in without credentials
    #[arg(long)]
    pub anonymous: bool,
}
