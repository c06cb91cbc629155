//! `moonport function sample`: test events that are kept for a function under names (IV-9).

use std::path::PathBuf;

use bytes::Bytes;
use clap::{Args, Subcommand};
use serde::Serialize;

use crate::cli::output::{Column, Row, left, right};
use crate::cli::session::{Session, failed, read_input};
use crate::cli::value::grouped;
use crate::control::error::ControlError;
use crate::control::functions::Sample;
use crate::domain::names::{FunctionName, SampleName};
use crate::report::Report;

/// Characters of an event that a listing shows.
const SHOWN: usize = 60;

#[derive(Debug, Subcommand)]
pub enum SampleCommand {
    /// The sample events of a function
    List { function: FunctionName },
    /// One sample event, as it is
    Show {
        function: FunctionName,
        name: SampleName,
    },
    /// Keep a sample event, in place of one of the same name
    Put(Put),
    /// Remove a sample event
    Remove {
        function: FunctionName,
        name: SampleName,
    },
}

#[derive(Debug, Args)]
pub struct Put {
    pub function: FunctionName,
    pub name: SampleName,
    #[command(flatten)]
    pub event: EventText,
}

#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub struct EventText {
    /// The event as text
    #[arg(long, value_name = "TEXT")]
    pub event: Option<String>,
    /// A file that is the event; `-` is standard input
    #[arg(long, value_name = "FILE")]
    pub event_file: Option<PathBuf>,
}

impl EventText {
    fn read(self) -> Result<Bytes, Report> {
        let text = self.event.unwrap_or_default();
        let bytes = self.event_file.map(|file| read_input(&file)).transpose()?;
        Ok(bytes.unwrap_or_else(|| text.into_bytes()).into())
    }
}

/// A sample event in a listing.
#[derive(Debug, Serialize)]
struct SampleView {
    name: SampleName,
    bytes: usize,
    /// Its text, as far as it is text.
    event: String,
}

impl Row for SampleView {
    const COLUMNS: &'static [Column] = &[left("NAME"), right("BYTES"), left("EVENT")];

    fn cells(&self) -> Vec<String> {
        let words: Vec<&str> = self.event.split_whitespace().collect();
        let line = words.join(" ");
        let mut shown: String = line.chars().take(SHOWN).collect();
        if shown.len() < line.len() {
            shown.push('…');
        }
        vec![self.name.to_string(), grouped(self.bytes as u64), shown]
    }
}

impl SampleCommand {
    pub async fn run(self, session: &Session) -> Result<(), Report> {
        let functions = &session.control.functions;
        match self {
            Self::List { function } => {
                let samples = functions.samples(function).await.map_err(failed)?;
                let rows: Vec<SampleView> = samples.iter().map(view).collect();
                session.out.list(&rows)
            }
            Self::Show { function, name } => {
                let sample = find(session, function, name).await?;
                if session.out.is_json() {
                    return session.out.json_line(&view(&sample));
                }
                session.out.line(&String::from_utf8_lossy(&sample.event))
            }
            Self::Put(Put {
                function,
                name,
                event,
            }) => {
                let event = event.read()?;
                let told = format!("kept sample `{name}` of function `{function}`");
                let sample = Sample {
                    function,
                    name,
                    event,
                };
                let row = view(&sample);
                functions.put_sample(sample).await.map_err(failed)?;
                session.out.done(&told, &row)
            }
            Self::Remove { function, name } => {
                let removed = functions.delete_sample(function.clone(), name.clone());
                removed.await.map_err(failed)?;
                let told = format!("removed sample `{name}` of function `{function}`");
                session.out.done(&told, &name)
            }
        }
    }
}

/// The sample event of this name.
pub(super) async fn find(
    session: &Session,
    function: FunctionName,
    name: SampleName,
) -> Result<Sample, Report> {
    let samples = session.control.functions.samples(function.clone()).await;
    let mut samples = samples.map_err(failed)?.into_iter();
    let found = samples.find(|sample| sample.name == name);
    found.ok_or_else(|| failed(ControlError::SampleNotFound(function, name)))
}

fn view(sample: &Sample) -> SampleView {
    SampleView {
        name: sample.name.clone(),
        bytes: sample.event.len(),
        event: String::from_utf8_lossy(&sample.event).into_owned(),
    }
}
