//! Rows of instances and access keys.

use serde::Serialize;

use crate::cli::output::{Column, Row, left};
use crate::cli::value::told_span;
use crate::cluster::session::Grant;
use crate::control::instances::{AccessKeyRow, Endpoint, InstanceRow, InstanceStatus};
use crate::domain::names::InstanceId;

#[derive(Debug, Serialize)]
pub struct InstanceView {
    pub id: InstanceId,
    pub name: String,
    pub region: String,
    pub status: InstanceStatus,
    pub endpoint: Endpoint,
    pub auto_create: bool,
    pub retention_seconds: u64,
    pub remark: String,
}

impl InstanceView {
    pub fn new(row: &InstanceRow) -> Self {
        let definition = &row.definition;
        Self {
            id: definition.id.clone(),
            name: definition.name.clone(),
            region: definition.region.clone(),
            status: row.status.clone(),
            endpoint: row.endpoint.clone(),
            auto_create: definition.auto_create,
            retention_seconds: definition.retention.as_secs(),
            remark: definition.remark.clone(),
        }
    }
}

impl Row for InstanceView {
    const COLUMNS: &'static [Column] = &[
        left("NAME"),
        left("ID"),
        left("REGION"),
        left("STATUS"),
        left("ENDPOINT"),
        left("RETENTION"),
        left("AUTO CREATE"),
        left("REMARK"),
    ];

    fn cells(&self) -> Vec<String> {
        let status = match &self.status {
            InstanceStatus::Starting => "starting".to_owned(),
            InstanceStatus::Running => "running".to_owned(),
            InstanceStatus::ReadOnly { reason } => format!("read-only: {reason}"),
            InstanceStatus::Failed { reason } => format!("failed: {reason}"),
        };
        let endpoint = match &self.endpoint {
            Endpoint::Listening {
                address,
                open: true,
            } => format!("{address} OPEN"),
            Endpoint::Listening { address, .. } => address.clone(),
            Endpoint::Off => "off".to_owned(),
            Endpoint::NotListening { reason } => format!("NOT LISTENING: {reason}"),
        };
        vec![
            self.name.clone(),
            self.id.to_string(),
            self.region.clone(),
            status,
            endpoint,
            told_span(std::time::Duration::from_secs(self.retention_seconds)),
            if self.auto_create { "yes" } else { "no" }.to_owned(),
            self.remark.clone(),
        ]
    }
}

#[derive(Debug, Serialize)]
pub struct AccessKeyView {
    pub key: String,
    pub grants: Vec<Grant>,
    /// Tells secrets apart without telling them.
    pub fingerprint: String,
    /// Only in the answer that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub secret: Option<String>,
}

impl AccessKeyView {
    pub fn new(row: &AccessKeyRow) -> Self {
        Self {
            key: row.key.clone(),
            grants: row.grants.clone(),
            fingerprint: row.fingerprint.clone(),
            secret: row.secret.clone(),
        }
    }
}

impl Row for AccessKeyView {
    const COLUMNS: &'static [Column] = &[
        left("KEY"),
        left("GRANTS"),
        left("FINGERPRINT"),
        left("SECRET"),
    ];

    fn cells(&self) -> Vec<String> {
        let grants: Vec<String> = self.grants.iter().map(Grant::to_string).collect();
        vec![
            self.key.clone(),
            grants.join(" "),
            self.fingerprint.clone(),
            self.secret.clone().unwrap_or_else(|| "kept".to_owned()),
        ]
    }
}
