//! `moonport keys`: the console's key table; the console itself knows it.

use std::path::PathBuf;

use clap::Args;

#[derive(Debug, Args)]
pub struct Keys {
    /// Check this key file instead of printing the table
    #[arg(long, value_name = "FILE")]
    pub check: Option<PathBuf>,
}
