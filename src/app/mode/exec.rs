//! `moonport exec`: a command beside a throwaway broker.

use std::os::unix::process::ExitStatusExt;
use std::process::ExitStatus;
use std::time::Duration;

use crate::app::error::AppError;
use crate::app::mode::Launch;
use crate::app::mode::serve::{address, carry_over, first_instance};
use crate::app::mode::socket::OwnersSocket;
use crate::app::signals::stop_token;
use crate::app::wiring::Engine;
use crate::cli::exec::Exec;
use crate::cli::output::remark;
use crate::cli::session::{failed, refused};
use crate::config::paths::DataDir;
use crate::control::Control;
use crate::report::{Exit, Report, counted};

impl Launch {
    pub(super) async fn exec(&self, exec: Exec) -> Result<u8, Report> {
        let workflow = self.workflow(exec.file.as_deref())?;
        let stop = stop_token();
        let (throwaway, engine) = self.throwaway_engine().await?;
        let data = DataDir::new(throwaway.path()).map_err(super::misplaced)?;
        let working = async {
            if let Some(workflow) = &workflow {
                carry_over(&engine.control, workflow).await?;
            }
            first_instance(&engine.control).await?;
            let socket = OwnersSocket::open(&data, engine.control.clone())?;
            let status = self.beside(&exec, &engine, &data).await;
            tell_dead_letters(&engine.control).await?;
            socket.close().await;
            status
        };
        let done = stop.run_until_cancelled(working).await;
        engine.stop(Duration::ZERO).await;
        drop(throwaway);
        match done {
            Some(status) => status.map(code),
            None => Err(Report::plain("interrupted", None, Exit::Failed)),
        }
    }

    /// Runs the command to its end.
    async fn beside(
        &self,
        exec: &Exec,
        engine: &Engine,
        data: &DataDir,
    ) -> Result<ExitStatus, Report> {
        let rows = engine.control.instances.instances().await.map_err(failed)?;
        let (program, arguments) = exec.command.split_first().ok_or_else(|| {
            Report::plain(
                "no command is given",
                Some("write it after `--`".to_owned()),
                Exit::Usage,
            )
        })?;
        let mut command = tokio::process::Command::new(program);
        command
            .args(arguments)
            .env("MOONPORT_DATA_DIR", data.root())
            .kill_on_drop(true);
        if let Some(first) = rows.iter().find_map(address) {
            command.env("MOONPORT_ENDPOINT", first);
        }
        for row in &rows {
            if let Some(address) = address(row) {
                command.env(variable(&row.definition.name), address);
            }
        }
        let status = command.status().await;
        status.map_err(|source| {
            AppError::CommandFailed {
                command: program.to_string_lossy().into_owned(),
                source,
            }
            .into()
        })
    }
}

/// `MOONPORT_ENDPOINT_ORDERS` for the instance `orders`.
fn variable(name: &str) -> String {
    let word = |c: char| match c.to_ascii_uppercase() {
        c if c.is_ascii_alphanumeric() => c,
        _ => '_',
    };
    let name: String = name.chars().map(word).collect();
    format!("MOONPORT_ENDPOINT_{name}")
}

async fn tell_dead_letters(control: &Control) -> Result<(), Report> {
    for row in control.instances.instances().await.map_err(failed)? {
        let cluster = control
            .instances
            .cluster(&row.definition.id)
            .map_err(failed)?;
        let statistics = cluster.admin.statistics().await.map_err(refused)?;
        if statistics.dead_total > 0 {
            remark(&format!(
                "instance `{}`: {}",
                row.definition.name,
                counted(statistics.dead_total, "dead letter", "dead letters")
            ));
        }
    }
    Ok(())
}

/// As a shell tells it: the command's own, or 128 and the signal.
fn code(status: ExitStatus) -> u8 {
    let code = status
        .code()
        .or_else(|| status.signal().map(|signal| 128 + signal));
    code.and_then(|code| u8::try_from(code & 0xff).ok())
        .unwrap_or(Exit::Failed.code())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_instance_has_a_variable_of_its_own() {
        assert_eq!(variable("my-orders 2"), "MOONPORT_ENDPOINT_MY_ORDERS_2");
    }
}
