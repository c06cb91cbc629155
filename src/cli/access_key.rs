//! `moonport access-key`.

use clap::{Args, Subcommand};

use crate::cli::session::{Session, failed};
use crate::cli::view::instance::AccessKeyView;
use crate::cluster::session::{Grant, Resource};
use crate::control::instances::PutAccessKey;
use crate::report::Report;

#[derive(Debug, Subcommand)]
pub enum AccessKey {
    /// All access keys; never a secret
    List,
    /// Make a key, or change what it may do
    Create(Create),
    /// Remove a key
    Delete { key: String },
}

#[derive(Debug, Args)]
pub struct Create {
    /// The key [default: made up]
    pub key: Option<String>,
    /// What it may do: `topic:NAME:send,receive`, `group:NAME:receive`; `*` is every name
    #[arg(long = "grant", value_name = "GRANT", value_parser = grant, required = true)]
    pub grants: Vec<Grant>,
}

impl AccessKey {
    pub async fn run(self, session: &Session) -> Result<(), Report> {
        let instances = &session.control.instances;
        match self {
            Self::List => {
                let rows = instances.access_keys().await.map_err(failed)?;
                let rows: Vec<AccessKeyView> = rows.iter().map(AccessKeyView::new).collect();
                session.out.list(&rows)
            }
            Self::Create(create) => {
                let request = PutAccessKey {
                    key: create.key,
                    secret: None,
                    grants: create.grants,
                };
                let row = instances.put_access_key(request).await.map_err(failed)?;
                session.out.show(&AccessKeyView::new(&row))
            }
            Self::Delete { key } => {
                instances
                    .delete_access_key(key.clone())
                    .await
                    .map_err(failed)?;
                session
                    .out
                    .done(&format!("removed access key `{key}`"), &key)
            }
        }
    }
}

fn grant(text: &str) -> Result<Grant, String> {
    let expected = || "expected `topic:NAME:send,receive` or `group:NAME:receive`".to_owned();
    let mut parts = text.splitn(3, ':');
    let (Some(on), Some(name), Some(allowed)) = (parts.next(), parts.next(), parts.next()) else {
        return Err(expected());
    };
    let on = match on {
        "topic" => Resource::Topic,
        "group" => Resource::Group,
        _ => return Err(expected()),
    };
    let mut grant = Grant {
        on,
        name: name.to_owned(),
        send: false,
        receive: false,
    };
    for word in allowed.split(',') {
        match word {
            "send" => grant.send = true,
            "receive" => grant.receive = true,
            _ => return Err(expected()),
        }
    }
    Ok(grant)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn grants_are_read_word_by_word() {
        let parsed = grant("topic:orders:send,receive").unwrap();
        assert!(parsed.send && parsed.receive && parsed.name == "orders");
        assert!(grant("queue:a:send").is_err() && grant("topic:a:write").is_err());
    }
}
