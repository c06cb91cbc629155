//! The runtimes whose code runs in processes.

use std::sync::Arc;

use crate::domain::function::Runtime as Kind;
use crate::function::host::HostOptions;
use crate::function::runtime::list::left_out;
use crate::function::runtime::worker::custom::CustomRuntime;
use crate::function::runtime::worker::node::NodeRuntime;
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
        let workshop = self.workshop.clone();
        match kind {
            Kind::Python3 | Kind::Python312 => Ok(Arc::new(PythonRuntime::new(workshop))),
            Kind::NodeJs => Ok(Arc::new(NodeRuntime::new(workshop))),
            Kind::Custom => Ok(Arc::new(CustomRuntime::new(workshop))),
            Kind::Js | Kind::Rust => Err(left_out(kind)),
        }
    }
}
