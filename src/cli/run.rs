//! `moonport run` and `moonport demo`.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

use crate::cli::value;

#[derive(Debug, Args)]
pub struct Run {
    /// The workflow file
    pub file: PathBuf,
    /// A file that is the body of a message; `-` is standard input
    #[arg(long = "send", value_name = "FILE")]
    pub events: Vec<PathBuf>,
    /// Where events go [default: the only topic that a trigger reads]
    #[arg(long, value_name = "TOPIC")]
    pub topic: Option<String>,
    /// Let broker time run as fast as the wall clock, and no faster
    #[arg(long)]
    pub real_time: bool,
    /// Every attempt must succeed, not only the last
    #[arg(long)]
    pub strict: bool,
    /// Most real time it may take
    #[arg(long, value_name = "SPAN", value_parser = value::span, default_value = "5m")]
    pub timeout: Duration,
}

#[derive(Debug, Args)]
pub struct Demo {
    /// Without a terminal: send the sample event and print the functions' logs
    #[arg(long)]
    pub headless: bool,
}
