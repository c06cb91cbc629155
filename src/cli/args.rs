//! The grammar of the command line.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};

use crate::cli::access_key::AccessKey;
use crate::cli::apply::Apply;
use crate::cli::bench::Bench;
use crate::cli::clock::ClockArgs;
use crate::cli::completions::Completions;
use crate::cli::dlq::Dlq;
use crate::cli::exec::Exec;
use crate::cli::export::Export;
use crate::cli::filter::FilterArgs;
use crate::cli::function::Function;
use crate::cli::group::Group;
use crate::cli::instance::Instance;
use crate::cli::invoke::InvokeArgs;
use crate::cli::keys::Keys;
use crate::cli::logs::LogsArgs;
use crate::cli::messages::Messages;
use crate::cli::run::{Demo, Run};
use crate::cli::send::SendArgs;
use crate::cli::serve::Serve;
use crate::cli::topic::Topic;
use crate::cli::trace::Trace;
use crate::cli::transaction::Transaction;
use crate::cli::trigger::Trigger;
use crate::config::raw::Color;
use crate::config::settings::ConsoleOverrides;

/// Event workflows on RocketMQ and Function Compute, in one program.
///
/// Without a command the console opens: on this folder's moonport.toml if there is one, else on your own data directory.
#[derive(Debug, Parser)]
#[command(name = "moonport", version, disable_help_subcommand = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(flatten)]
    pub console: ConsoleFlags,
    #[command(subcommand)]
    pub command: Option<Command>,
}

#[derive(Debug, Clone, Args)]
pub struct Global {
    /// Where everything is kept [default: .moonport beside moonport.toml, else your platform's data folder]
    #[arg(long, global = true, value_name = "DIR", env = "MOONPORT_DATA_DIR")]
    pub data_dir: Option<PathBuf>,
    /// The instance meant, by name or id [default: the only one]
    #[arg(long, global = true, value_name = "NAME")]
    pub instance: Option<String>,
    /// The configuration file
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Answer in JSON
    #[arg(long, global = true)]
    pub json: bool,
    /// More in the program's own log; twice for everything
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
}

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Console")]
pub struct ConsoleFlags {
    /// Colours of the console
    #[arg(long, global = true, value_name = "WHEN")]
    pub color: Option<ColorArg>,
    /// Only ASCII characters
    #[arg(long, global = true)]
    pub ascii: bool,
    /// One pane without frames, for screen readers
    #[arg(long, global = true, env = "MOONPORT_PLAIN", value_parser = clap::builder::FalseyValueParser::new())]
    pub plain: bool,
    /// Leave the mouse to the terminal
    #[arg(long, global = true)]
    pub no_mouse: bool,
    /// Nothing moves by itself
    #[arg(long, global = true)]
    pub no_motion: bool,
    /// Look, but change nothing
    #[arg(long, global = true)]
    pub read_only: bool,
}

#[derive(Debug, Clone, Copy, ValueEnum)]
pub enum ColorArg {
    Auto,
    Never,
    #[value(name = "16")]
    Ansi16,
    #[value(name = "256")]
    Ansi256,
    True,
}

impl ConsoleFlags {
    pub fn overrides(&self) -> ConsoleOverrides {
        ConsoleOverrides {
            color: self.color.map(|color| match color {
                ColorArg::Auto => Color::Auto,
                ColorArg::Never => Color::Never,
                ColorArg::Ansi16 => Color::Ansi16,
                ColorArg::Ansi256 => Color::Ansi256,
                ColorArg::True => Color::True,
            }),
            ascii: self.ascii,
            plain: self.plain,
            no_mouse: self.no_mouse,
            no_motion: self.no_motion,
            read_only: self.read_only,
        }
    }
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// The order workflow, built and ready to try
    Demo(Demo),
    /// Run a workflow file once, with events, until nothing is due
    Run(Run),
    /// Broker, triggers and endpoints without a terminal
    Serve(Serve),
    /// Run a command beside a throwaway broker
    Exec(Exec),
    /// Create or update what a workflow file names
    Apply(Apply),
    /// Print the present set-up as a workflow file
    Export(Export),
    /// Send messages
    Send(SendArgs),
    /// Topics
    Topic {
        #[command(subcommand)]
        command: Topic,
    },
    /// Consumer groups
    Group {
        #[command(subcommand)]
        command: Group,
    },
    /// Functions: in processes of their own and with your rights, which is no sandbox
    Function {
        #[command(subcommand)]
        command: Function,
    },
    /// Triggers
    Trigger {
        #[command(subcommand)]
        command: Trigger,
    },
    /// Instances
    Instance {
        #[command(subcommand)]
        command: Instance,
    },
    /// Access keys of the endpoints
    AccessKey {
        #[command(subcommand)]
        command: AccessKey,
    },
    /// Stored messages and pending delays
    Messages(Messages),
    /// The life of one message
    Trace(Trace),
    /// Half messages that wait for their producer
    Transaction {
        #[command(subcommand)]
        command: Transaction,
    },
    /// Dead letters
    Dlq {
        #[command(subcommand)]
        command: Dlq,
    },
    /// What functions logged
    Logs(LogsArgs),
    /// Run a function once
    Invoke(InvokeArgs),
    /// Broker time: show, hold, step, jump
    Clock {
        #[command(subcommand)]
        command: ClockArgs,
    },
    /// Load on a broker, with a latency report
    Bench(Bench),
    /// Try a tag or SQL filter
    Filter(FilterArgs),
    /// The console's key table
    Keys(Keys),
    /// Completions for a shell
    Completions(Completions),
}

/// Why nothing was parsed: help was asked for, or the words make no sense.
pub struct NotParsed(clap::Error);

impl NotParsed {
    /// Prints help to stdout or the complaint to stderr; true when it was a complaint.
    pub fn print(&self) -> bool {
        let _ = self.0.print();
        self.0.use_stderr()
    }
}

pub fn parse() -> Result<Cli, NotParsed> {
    Cli::try_parse().map_err(NotParsed)
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_grammar_is_consistent() {
        Cli::command().debug_assert();
    }
}
