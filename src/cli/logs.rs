//! `moonport logs`: what functions logged.

use clap::Args;

use crate::cli::follow::Follower;
use crate::cli::output::{Output, remark};
use crate::cli::session::{Session, failed};
use crate::control::error::ControlError;
use crate::control::logs::{LogFrom, LogQuery};
use crate::domain::function::{LogLevel, LogRecord};
use crate::domain::ids::RequestId;
use crate::domain::names::FunctionName;
use crate::report::Report;

#[derive(Debug, Args)]
pub struct LogsArgs {
    /// Go on as more is logged
    #[arg(short, long)]
    pub follow: bool,
    /// Of this function only
    #[arg(long, value_name = "NAME")]
    pub function: Option<FunctionName>,
    /// This level and above: debug, info, warn or error
    #[arg(long, value_parser = level)]
    pub level: Option<LogLevel>,
    /// Of this request only
    #[arg(long, value_name = "ID")]
    pub request: Option<String>,
    /// With this text, ignoring case
    #[arg(long)]
    pub text: Option<String>,
    /// Most records of the past
    #[arg(short = 'n', long, value_name = "COUNT", default_value_t = 100)]
    pub lines: usize,
}

impl LogsArgs {
    pub async fn run(self, session: &Session) -> Result<(), Report> {
        let query = LogQuery {
            function: self.function,
            request_id: self.request.map(RequestId::new),
            min_level: self.level,
            text: self.text,
            from: LogFrom::End,
            limit: self.lines,
        };
        let page = session
            .control
            .logs
            .logs(query.clone())
            .await
            .map_err(failed)?;
        let mut printer = Printer::new(&session.out);
        page.records
            .iter()
            .try_for_each(|record| printer.print(record))?;
        if page.dropped > 0 {
            remark(&format!(
                "{} records were dropped, too many came at once",
                page.dropped
            ));
        }
        if !self.follow {
            return Ok(());
        }
        let mut follower = Follower::after(&session.control, page.newest, query);
        while !session.out.is_closed() {
            let added = match follower.added().await {
                // The owner stopped while it was asked: the log ends with it.
                Err(ControlError::Unreachable(_)) => break,
                added => added.map_err(failed)?,
            };
            for record in added {
                printer.print(&record)?;
            }
            if !follower.grows().await {
                break;
            }
        }
        Ok(())
    }
}

/// Prints records; where the function changes, a heading says so.
pub struct Printer<'a> {
    out: &'a Output,
    function: Option<FunctionName>,
}

impl<'a> Printer<'a> {
    pub fn new(out: &'a Output) -> Self {
        Self {
            out,
            function: None,
        }
    }

    pub fn print(&mut self, record: &LogRecord) -> Result<(), Report> {
        if self.out.is_json() {
            return self.out.json_line(record);
        }
        if self.function.as_ref() != Some(&record.function) {
            let gap = if self.function.is_some() { "\n" } else { "" };
            self.out
                .line(&format!("{gap}==> {} <==", record.function))?;
            self.function = Some(record.function.clone());
        }
        self.out.line(&record.text.replace('\r', "\n"))
    }
}

fn level(text: &str) -> Result<LogLevel, String> {
    match text.to_ascii_lowercase().as_str() {
        "debug" => Ok(LogLevel::Debug),
        "info" => Ok(LogLevel::Info),
        "warn" => Ok(LogLevel::Warn),
        "error" => Ok(LogLevel::Error),
        _ => Err("expected debug, info, warn or error".to_owned()),
    }
}
