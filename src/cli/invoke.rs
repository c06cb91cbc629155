//! `moonport invoke`: a function with a test event.

use std::path::PathBuf;

use clap::Args;

use crate::cli::follow;
use crate::cli::output::remark;
use crate::cli::send::check_json;
use crate::cli::session::{Session, failed, read_input};
use crate::control::functions::{Invoke, InvokeReply};
use crate::control::logs::LogQuery;
use crate::domain::names::FunctionName;
use crate::report::{Exit, Report};

#[derive(Debug, Args)]
pub struct InvokeArgs {
    pub function: FunctionName,
    /// The event as text [default: {}]
    #[arg(long, value_name = "TEXT", conflicts_with = "event_file")]
    pub event: Option<String>,
    /// A file that is the event; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub event_file: Option<PathBuf>,
    /// Refuse an event that is not JSON
    #[arg(long)]
    pub expect_json: bool,
    /// Enqueue the event and do not wait
    #[arg(long = "async")]
    pub asynchronous: bool,
}

impl InvokeArgs {
    pub async fn run(self, session: &Session) -> Result<(), Report> {
        let event = match (&self.event, &self.event_file) {
            (Some(text), _) => text.clone().into_bytes(),
            (None, Some(file)) => read_input(file)?,
            (None, None) => b"{}".to_vec(),
        };
        if self.expect_json {
            check_json(&event)?;
        }
        let request = Invoke {
            function: self.function,
            event: event.into(),
            asynchronous: self.asynchronous,
        };
        let reply = session
            .control
            .functions
            .invoke(request)
            .await
            .map_err(failed)?;
        if session.out.is_json() {
            session.out.json_line(&reply)?;
        } else {
            tell(session, &reply).await?;
        }
        failure(&reply).map_or(Ok(()), Err)
    }
}

async fn tell(session: &Session, reply: &InvokeReply) -> Result<(), Report> {
    let Some(record) = &reply.record else {
        return session
            .out
            .line(&format!("enqueued as {}", reply.request_id));
    };
    let query = LogQuery {
        request_id: Some(reply.request_id.clone()),
        limit: follow::PAGE,
        ..LogQuery::default()
    };
    let page = session.control.logs.logs(query).await.map_err(failed)?;
    for record in &page.records {
        session.out.line(&record.text)?;
    }
    session.out.line(&String::from_utf8_lossy(&reply.result))?;
    remark(&format!(
        "{:.2} ms, {:.1} of {} MB{}",
        record.duration_ms,
        record.peak_memory_mb,
        record.memory_mb,
        if record.cold_start {
            ", cold start"
        } else {
            ""
        }
    ));
    Ok(())
}

fn failure(reply: &InvokeReply) -> Option<Report> {
    let class = reply.error?;
    let mut report = Report::plain(
        format!("the function failed: {}", class.as_str()),
        None,
        Exit::Failed,
    );
    let message = reply.record.as_ref().and_then(|r| r.error_message.clone());
    report.causes.extend(message);
    Some(report)
}
