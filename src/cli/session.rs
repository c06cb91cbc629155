//! What a command works with: the seams, the instance meant, the output.

use std::path::Path;

use crate::cli::output::Output;
use crate::cluster::Cluster;
use crate::cluster::error::ClusterError;
use crate::control::Control;
use crate::control::error::ControlError;
use crate::control::instances::InstanceRow;
use crate::domain::names::NameError;
use crate::report::{Exit, Hint, Report};

/// A command's surroundings.
#[derive(Clone)]
pub struct Session {
    pub control: Control,
    /// `--instance`: a name or an id.
    pub instance: Option<String>,
    pub out: Output,
}

impl Session {
    /// The instance named with `--instance`, else the only one.
    pub async fn instance(&self) -> Result<InstanceRow, Report> {
        let mut rows = self.control.instances.instances().await.map_err(failed)?;
        if let Some(wanted) = &self.instance {
            let found = rows
                .into_iter()
                .find(|row| row.definition.id.as_str() == wanted || row.definition.name == *wanted);
            return found.ok_or_else(|| usage(&ControlError::InstanceNotFound(wanted.clone())));
        }
        match (rows.len(), rows.pop()) {
            (1, Some(row)) => Ok(row),
            (0, _) => Err(Report::plain(
                "there is no instance yet",
                Some(
                    "make one with `moonport instance create NAME`, or apply a workflow file with `moonport apply FILE`"
                        .to_owned(),
                ),
                Exit::Usage,
            )),
            (count, _) => Err(Report::plain(
                format!("there are {count} instances"),
                Some("name one with `--instance`; `moonport instance list` shows them".to_owned()),
                Exit::Usage,
            )),
        }
    }

    /// The cluster of [`Self::instance`].
    pub async fn cluster(&self) -> Result<Cluster, Report> {
        let row = self.instance().await?;
        self.control
            .instances
            .cluster(&row.definition.id)
            .map_err(failed)
    }
}

/// A refusal by one of the seams: the thing asked for failed.
pub fn failed(error: ControlError) -> Report {
    match error {
        ControlError::Cluster(error) => refused(error),
        error => Report::new(&error, Exit::Failed),
    }
}

/// A refusal by the cluster.
pub fn refused(error: ClusterError) -> Report {
    Report::new(&error, Exit::Failed)
}

/// Wrong use.
pub fn usage<E: std::error::Error + Hint>(error: &E) -> Report {
    Report::new(error, Exit::Usage)
}

/// A name on the command line that is not acceptable.
pub fn bad_name(error: NameError) -> Report {
    Report::plain(error.to_string(), None, Exit::Usage)
}

/// Reads a file the command line names, or standard input for `-`.
pub fn read_input(path: &Path) -> Result<Vec<u8>, Report> {
    use std::io::Read as _;
    let read = if path.as_os_str() == "-" {
        let mut bytes = Vec::new();
        std::io::stdin()
            .lock()
            .read_to_end(&mut bytes)
            .map(|_| bytes)
    } else {
        std::fs::read(path)
    };
    read.map_err(|error| {
        Report::plain(
            format!("cannot read `{}`: {error}", path.display()),
            None,
            Exit::Usage,
        )
    })
}
