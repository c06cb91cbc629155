//! In a build without the client of other clusters: says so.

use std::sync::Arc;

use crate::cli::session::refused;
use crate::clock::RealClock;
use crate::cluster::Messaging;
use crate::cluster::error::ClusterError;
use crate::report::Report;

/// Always an error.
pub fn messaging(_endpoint: &str, _real: &RealClock) -> Result<Arc<dyn Messaging>, Report> {
    let what = "reach other clusters: moonport was built without `remote`";
    Err(refused(ClusterError::Unsupported(what.to_owned())))
}
