//! `moonport completions SHELL`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::cli::args::Cli;
use crate::cli::output::Output;
use crate::report::Report;

#[derive(Debug, Args)]
pub struct Completions {
    pub shell: Shell,
}

impl Completions {
    pub fn run(&self, out: &Output) -> Result<(), Report> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut Cli::command(), "moonport", &mut script);
        out.verbatim(&String::from_utf8_lossy(&script))
    }
}
