//! The runtimes whose code runs in processes.

use std::sync::Arc;

use crate::domain::function::Runtime as Kind;
use crate::function::host::HostOptions;
use crate::function::runtime::list::left_out;
use crate::function::runtime::worker::python::PythonRuntime;
use crate::function::runtime::worker::workshop::Workshop;
use crate::function::runtime::{Runtime, StartError};

/// Makes them over one workshop.
pub struct Workers {
    workshop: Arc<Workshop>,
}

impl Workers {
    pub fn new(options: &HostOptions) -> Self {
        Self {
            workshop: Arc::new(Workshop::new(options)),
        }
    }

    pub fn of(&self, kind: Kind) -> Result<Arc<dyn Runtime>, StartError> {
        match kind {
            Kind::Python3 => Ok(Arc::new(PythonRuntime::new(self.workshop.clone()))),
            other => Err(left_out(other)),
        }
    }
}
