//! `moonport access-key`.

use clap::{Args, Subcommand};

use crate::cli::session::{Session, failed};
use crate::cli::view::instance::AccessKeyView;
use crate::cluster::session::Grant;
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
    #[arg(long = "grant", value_name = "GRANT", required = true)]
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
