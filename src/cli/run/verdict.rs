//! Whether a run went well: every message acked without a dead letter, or what the file expects.

use crate::cli::follow::Follower;
use crate::cli::run::settle::Settled;
use crate::cli::session::{Session, failed};
use crate::control::functions::FunctionRow;
use crate::control::logs::LogQuery;
use crate::control::triggers::TriggerRow;
use crate::domain::names::FunctionName;
use crate::domain::trigger::TriggerState;
use crate::report::{Exit, Report, counted};
use crate::workflow::file::{Expectation, Workflow};

pub(super) async fn judge(
    session: &Session,
    workflow: &Workflow,
    triggers: &[TriggerRow],
    functions: &[FunctionRow],
    settled: Settled,
    strict: bool,
) -> Result<(), Report> {
    let mut faults = Vec::new();
    if settled == Settled::TimedOut {
        faults.push("time is up, and messages are still under way".to_owned());
    }
    if workflow.expectations.is_empty() {
        faults.extend(triggers.iter().filter_map(given_up));
        faults.extend(triggers.iter().filter_map(stopped));
        faults.extend(functions.iter().filter_map(given_up_later));
    } else {
        for placed in &workflow.expectations {
            let fault = missed(session, triggers, &placed.value).await?;
            let at = format!("{}:{}", workflow.file, placed.line);
            faults.extend(fault.map(|fault| format!("{at}: expected that {fault}")));
        }
        if !faults.is_empty() {
            // Most likely why.
            faults.extend(triggers.iter().filter_map(given_up));
            faults.extend(triggers.iter().filter_map(stopped));
        }
    }
    if strict {
        faults.extend(triggers.iter().filter_map(failed_attempts));
    }
    if faults.is_empty() {
        return Ok(());
    }
    let mut report = Report::plain("the run failed", None, Exit::Failed);
    report.causes = faults;
    Err(report)
}

fn given_up(row: &TriggerRow) -> Option<String> {
    let name = &row.definition.name;
    let error = row.last_error.as_deref().unwrap_or("no error is known");
    (row.dead_total > 0).then(|| {
        format!(
            "trigger `{name}` gave up {}, the last error: {error}",
            counted(row.dead_total, "message", "messages")
        )
    })
}

/// Accepted events that nobody was told of.
fn given_up_later(row: &FunctionRow) -> Option<String> {
    let name = &row.definition.name;
    let error = row.last_error.as_deref().unwrap_or("no error is known");
    (row.given_up_total > 0).then(|| {
        format!(
            "function `{name}` gave up {} accepted events, the last error: {error}",
            row.given_up_total
        )
    })
}

fn stopped(row: &TriggerRow) -> Option<String> {
    let name = &row.definition.name;
    match &row.state {
        TriggerState::Ready { error } => Some(format!("trigger `{name}` stopped: {error}")),
        TriggerState::StartFailed { error } => {
            Some(format!("trigger `{name}` cannot start: {error}"))
        }
        _ if row.lag > 0 => Some(format!(
            "trigger `{name}` left {}",
            counted(row.lag, "message", "messages")
        )),
        _ => None,
    }
}

fn failed_attempts(row: &TriggerRow) -> Option<String> {
    let name = &row.definition.name;
    (row.failed_total > 0).then(|| {
        format!(
            "trigger `{name}` had {}",
            counted(row.failed_total, "failed attempt", "failed attempts")
        )
    })
}

/// What was expected and did not happen, with what did.
async fn missed(
    session: &Session,
    triggers: &[TriggerRow],
    expectation: &Expectation,
) -> Result<Option<String>, Report> {
    let found = match expectation {
        Expectation::Log {
            function,
            text,
            times,
        } => {
            let found = count(session, function, text).await?;
            let holds = times.map_or(found > 0, |times| found == times);
            (!holds).then_some(found)
        }
        Expectation::DeadLetters { trigger, count } => {
            let row = triggers.iter().find(|row| row.definition.name == *trigger);
            let found = row.map_or(0, |row| row.dead_total);
            (found != *count).then_some(found)
        }
    };
    Ok(found.map(|found| format!("{expectation}, found {found}")))
}

async fn count(session: &Session, function: &FunctionName, text: &str) -> Result<u64, Report> {
    let query = LogQuery {
        function: Some(function.clone()),
        text: Some(text.to_owned()),
        ..LogQuery::default()
    };
    let found = Follower::after(&session.control, 0, query).added().await;
    let found = found.map_err(failed)?;
    // The query ignores case, an expectation does not.
    let exact = found.iter().filter(|record| record.text.contains(text));
    Ok(exact.count() as u64)
}
