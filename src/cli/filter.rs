//! `moonport filter`: tries a filter without a broker.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use clap::Args;
use serde::{Deserialize, Serialize};

use crate::cli::output::Output;
use crate::cli::session::read_input;
use crate::cli::value;
use crate::filter::{Filter, FilterKind};
use crate::report::{Exit, Report};

#[derive(Debug, Args)]
pub struct FilterArgs {
    /// An SQL92 condition
    #[arg(long, value_name = "EXPR", group = "expression")]
    pub sql: Option<String>,
    /// A tag list, as in `a || b`
    #[arg(long, value_name = "TAGS", group = "expression")]
    pub tag: Option<String>,
    /// The tag of the message
    #[arg(long, value_name = "TAG")]
    pub message_tag: Option<String>,
    /// A property of the message
    #[arg(long = "property", value_name = "KEY=VALUE", value_parser = value::pair)]
    pub properties: Vec<(String, String)>,
    /// One case a line: {"sql" or "tag": …, "properties": {…}, "message_tag": …}; `-` is standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["expression", "properties", "message_tag"])]
    pub batch: Option<PathBuf>,
}

/// A filter and the message it is tried on.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    sql: Option<String>,
    tag: Option<String>,
    message_tag: Option<String>,
    #[serde(default)]
    properties: BTreeMap<String, String>,
}

#[derive(Debug, PartialEq, Eq, Serialize)]
struct Answer {
    /// TRUE, FALSE, NULL, ERROR or REFUSED.
    verdict: String,
    reason: String,
}

impl FilterArgs {
    pub fn run(self, out: &Output) -> Result<(), Report> {
        if let Some(file) = &self.batch {
            return run_batch(file, out);
        }
        let case = Case {
            sql: self.sql,
            tag: self.tag,
            message_tag: self.message_tag,
            properties: self.properties.into_iter().collect(),
        };
        tell(&answer(&case)?, out)
    }
}

fn run_batch(file: &Path, out: &Output) -> Result<(), Report> {
    let text = read_input(file)?;
    let text = String::from_utf8_lossy(&text);
    for (index, line) in text.lines().enumerate() {
        if line.trim().is_empty() {
            continue;
        }
        let case: Case = serde_json::from_str(line).map_err(|error| {
            Report::plain(
                format!("{}:{}: {error}", file.display(), index + 1),
                Some("each line is an object with `sql` or `tag`, and `properties`".to_owned()),
                Exit::Usage,
            )
        })?;
        tell(&answer(&case)?, out)?;
    }
    Ok(())
}

fn answer(case: &Case) -> Result<Answer, Report> {
    let (kind, text) = match (&case.sql, &case.tag) {
        (Some(sql), None) => (FilterKind::Sql, sql),
        (None, Some(tag)) => (FilterKind::Tag, tag),
        _ => {
            return Err(Report::plain(
                "one filter is needed",
                Some("give either `--sql EXPR` or `--tag TAGS`".to_owned()),
                Exit::Usage,
            ));
        }
    };
    let filter = match Filter::parse(kind, text) {
        Ok(filter) => filter,
        Err(error) => {
            return Ok(Answer {
                verdict: "REFUSED".to_owned(),
                reason: error.to_string(),
            });
        }
    };
    let mut properties = case.properties.clone();
    if let Some(tag) = &case.message_tag {
        properties
            .entry("TAGS".to_owned())
            .or_insert_with(|| tag.clone());
    }
    let explained = filter.explain(case.message_tag.as_deref(), &properties);
    Ok(Answer {
        verdict: explained.verdict.to_string(),
        reason: explained.reason,
    })
}

fn tell(answer: &Answer, out: &Output) -> Result<(), Report> {
    out.done(&format!("{}  {}", answer.verdict, answer.reason), answer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdict(line: &str) -> String {
        answer(&serde_json::from_str(line).unwrap())
            .unwrap()
            .verdict
    }

    #[test]
    fn every_verdict_has_its_word() {
        assert_eq!(verdict(r#"{"sql":"a > 3","properties":{"a":"4"}}"#), "TRUE");
        assert_eq!(
            verdict(r#"{"sql":"a > 3","properties":{"a":"1"}}"#),
            "FALSE"
        );
        assert_eq!(verdict(r#"{"sql":"a > 3"}"#), "NULL");
        assert_eq!(verdict(r#"{"sql":"a >"}"#), "REFUSED");
        assert_eq!(verdict(r#"{"tag":"a || b","message_tag":"b"}"#), "TRUE");
    }
}
