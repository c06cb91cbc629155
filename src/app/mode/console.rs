//! The console, over this process's own engine or the owner's.

use std::io::IsTerminal;

use crate::app::error::AppError;
use crate::app::mode::Launch;
use crate::cli::keys::Keys;
use crate::report::Report;

impl Launch {
    pub(super) async fn console(&self) -> Result<u8, Report> {
        needs_terminal()?;
        Ok(0)
    }

    pub(super) async fn demo(&self) -> Result<u8, Report> {
        needs_terminal()?;
        Ok(0)
    }

    pub(super) fn keys(&self, _keys: &Keys) -> Result<u8, Report> {
        Ok(0)
    }
}

fn needs_terminal() -> Result<(), AppError> {
    if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
        Ok(())
    } else {
        Err(AppError::NoTerminal)
    }
}
