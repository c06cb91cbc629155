//! `moonport export`.

use clap::Args;

#[derive(Debug, Args)]
pub struct Export {}
