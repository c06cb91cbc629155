//! What may be given about events that are accepted and run later (section 9 of Function Compute's contract).

use clap::Args;

use crate::cli::session::Session;
use crate::domain::function::{AsyncSettings, Destination};
use crate::domain::names::{FunctionName, TopicName};
use crate::report::Report;

#[derive(Debug, Args)]
pub struct Later {
    /// Tries of an accepted event after the first, 0-8
    #[arg(long, value_name = "COUNT")]
    pub async_retries: Option<u32>,
    /// Seconds after which an accepted event is not run any more
    #[arg(long, value_name = "SECONDS")]
    pub async_max_age: Option<u32>,
    /// Who is told of an accepted event's success: function:NAME, topic:NAME or none
    #[arg(long, value_name = "WHERE", value_parser = target)]
    pub on_success: Option<Target>,
    /// Who is told of its failure after the last try
    #[arg(long, value_name = "WHERE", value_parser = target)]
    pub on_failure: Option<Target>,
}

/// A destination as it is typed.
#[derive(Debug, Clone)]
pub enum Target {
    Nobody,
    Function(FunctionName),
    Topic(TopicName),
}

impl Later {
    pub async fn write_to(
        self,
        settings: &mut AsyncSettings,
        session: &Session,
    ) -> Result<(), Report> {
        settings.retries = self.async_retries.unwrap_or(settings.retries);
        settings.max_age = self.async_max_age.unwrap_or(settings.max_age);
        if let Some(target) = self.on_success {
            settings.on_success = target.destination(session).await?;
        }
        if let Some(target) = self.on_failure {
            settings.on_failure = target.destination(session).await?;
        }
        Ok(())
    }
}

impl Target {
    /// A topic is one of the instance meant.
    async fn destination(self, session: &Session) -> Result<Option<Destination>, Report> {
        Ok(match self {
            Self::Nobody => None,
            Self::Function(function) => Some(Destination::Function(function)),
            Self::Topic(topic) => Some(Destination::Topic {
                instance: session.instance().await?.definition.id,
                topic,
            }),
        })
    }
}

fn target(text: &str) -> Result<Target, String> {
    match text.split_once(':') {
        None if text == "none" => Ok(Target::Nobody),
        Some(("function", name)) => FunctionName::new(name)
            .map(Target::Function)
            .map_err(|error| error.to_string()),
        Some(("topic", name)) => TopicName::new(name)
            .map(Target::Topic)
            .map_err(|error| error.to_string()),
        _ => Err("expected function:NAME, topic:NAME or none".to_owned()),
    }
}
