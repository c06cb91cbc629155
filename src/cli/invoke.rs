//! `moonport invoke`: a function with a test event.

use std::path::PathBuf;

use bytes::Bytes;
use clap::Args;

use crate::cli::follow;
use crate::cli::output::remark;
use crate::cli::sample;
use crate::cli::send::check_json;
use crate::cli::session::{Session, failed, read_input};
use crate::control::functions::{Invoke, InvokeReply};
use crate::control::logs::LogQuery;
use crate::domain::ids::RequestId;
use crate::domain::names::{FunctionName, SampleName};
use crate::report::{Exit, Report};

#[derive(Debug, Args)]
pub struct InvokeArgs {
    pub function: FunctionName,
    /// The event as text [default: {}]
    #[arg(long, value_name = "TEXT", conflicts_with = "event_file")]
    pub event: Option<String>,
    /// A file that is the event; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with = "sample")]
    pub event_file: Option<PathBuf>,
    /// A sample event kept with `moonport function sample put`
    #[arg(long, value_name = "NAME", conflicts_with = "event")]
    pub sample: Option<SampleName>,
    /// Refuse an event that is not JSON
    #[arg(long)]
    pub expect_json: bool,
    /// Enqueue the event and do not wait
    #[arg(long = "async")]
    pub asynchronous: bool,
    /// Print the last 4 KB of the log only
    #[arg(long, conflicts_with = "asynchronous")]
    pub tail: bool,
}

impl InvokeArgs {
    pub async fn run(self, session: &Session) -> Result<(), Report> {
        let event = self.event(session).await?;
        if self.expect_json {
            check_json(&event)?;
        }
        let request = Invoke {
            function: self.function,
            event,
            asynchronous: self.asynchronous,
            log_tail: self.tail,
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

    async fn event(&self, session: &Session) -> Result<Bytes, Report> {
        if let Some(name) = &self.sample {
            let sample = sample::find(session, self.function.clone(), name.clone()).await?;
            return Ok(sample.event);
        }
        Ok(match (&self.event, &self.event_file) {
            (Some(text), _) => Bytes::from(text.clone()),
            (None, Some(file)) => read_input(file)?.into(),
            (None, None) => Bytes::from_static(b"{}"),
        })
    }
}

async fn tell(session: &Session, reply: &InvokeReply) -> Result<(), Report> {
    let Some(record) = &reply.record else {
        return session
            .out
            .line(&format!("enqueued as {}", reply.request_id));
    };
    match &reply.log_tail {
        Some(tail) => {
            for line in tail.lines() {
                session.out.line(line)?;
            }
        }
        None => print_log(session, &reply.request_id).await?,
    }
    session.out.line(&String::from_utf8_lossy(&reply.result))?;
    remark(&format!("\n{}", record.summary()));
    Ok(())
}

async fn print_log(session: &Session, request_id: &RequestId) -> Result<(), Report> {
    let query = LogQuery {
        request_id: Some(request_id.clone()),
        limit: follow::PAGE,
        ..LogQuery::default()
    };
    let page = session.control.logs.logs(query).await.map_err(failed)?;
    for record in &page.records {
        session.out.line(&record.text)?;
    }
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
