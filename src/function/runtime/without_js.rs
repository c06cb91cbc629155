//! Stands in for the embedded engine in a build without it.

use std::sync::Arc;

use crate::domain::function::Runtime as Kind;
use crate::function::host::HostOptions;
use crate::function::runtime::list::left_out;
use crate::function::runtime::{Runtime, StartError};

/// The runtimes of script functions: none.
pub struct Scripts;

impl Scripts {
    pub fn new(_options: &HostOptions) -> Self {
        Self
    }

    pub fn runtime(&self) -> Result<Arc<dyn Runtime>, StartError> {
        Err(left_out(Kind::Js))
    }
}
