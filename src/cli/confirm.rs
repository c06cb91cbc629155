//! Asking before something is destroyed or changed.

use std::io::{IsTerminal, Write};

use crate::report::{Exit, Report, printable};

/// True when the person says yes; without a terminal `--yes` is needed.
pub fn confirm(question: &str, yes: bool) -> Result<bool, Report> {
    if yes {
        return Ok(true);
    }
    if !std::io::stdin().is_terminal() {
        return Err(Report::plain(
            "there is no terminal to ask on",
            Some("say `--yes` to go on without a question".to_owned()),
            Exit::Usage,
        ));
    }
    let mut stderr = std::io::stderr();
    let _ = write!(stderr, "{} [y/N] ", printable(question));
    let _ = stderr.flush();
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    Ok(read.is_ok() && matches!(answer.trim(), "y" | "Y" | "yes"))
}
