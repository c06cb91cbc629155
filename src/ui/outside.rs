//! What happens off the screen: the editor, a stop by Ctrl-Z, a plain page, helper programs, remembered texts.

use std::io::{self, Read as _, Write as _};
use std::path::PathBuf;
use std::process::{Command, Stdio};

use bytes::Bytes;
use tokio::runtime::Handle;

use crate::ui::effect::EditText;
use crate::ui::options::ConsoleOptions;
use crate::ui::state::Shared;

/// Texts that are kept across restarts.
const REMEMBERED: [&str; 2] = ["drafts", "history"];
/// Largest remembered text that is read back.
const MOST_REMEMBERED: u64 = 64 * 1024 * 1024;

/// Reads what earlier runs remembered, and the templates.
pub(crate) fn recall(options: &ConsoleOptions, shared: &mut Shared) {
    if let Some(folder) = &options.memory {
        for name in REMEMBERED {
            let path = folder.join(format!("{name}.json"));
            let small = path.metadata().is_ok_and(|m| m.len() <= MOST_REMEMBERED);
            if small && let Ok(text) = std::fs::read_to_string(&path) {
                shared.memory.insert(name, text);
            }
        }
    }
    let Some(Ok(entries)) = options.templates.as_ref().map(std::fs::read_dir) else {
        return;
    };
    for path in entries.flatten().map(|entry| entry.path()) {
        let name = path
            .file_stem()
            .map(|stem| stem.to_string_lossy().into_owned());
        if let (Some(name), Ok(text)) = (name, std::fs::read_to_string(&path)) {
            shared.settings.templates.push((name, text));
        }
    }
    shared.settings.templates.sort();
}

/// Writes a text for next time, whole or not at all.
pub(crate) fn remember(
    handle: &Handle,
    options: &ConsoleOptions,
    name: &'static str,
    text: String,
) {
    let Some(folder) = options.memory.clone() else {
        return;
    };
    handle.spawn(async move {
        let path = folder.join(format!("{name}.json"));
        let partial = folder.join(format!(".{name}.partial"));
        let written = async {
            tokio::fs::create_dir_all(&folder).await?;
            tokio::fs::write(&partial, text).await?;
            tokio::fs::rename(&partial, &path).await
        };
        if let Err(error) = written.await {
            tracing::warn!("cannot keep {name}: {error}");
        }
    });
}

/// Opens an editor on a text or a file; the changed text, or nothing for a file. The error is for a person.
pub(crate) fn edit(editor: &[String], what: EditText) -> Result<Option<Bytes>, String> {
    let (program, arguments) = editor.split_first().ok_or("no editor is set")?;
    let run = |path: &PathBuf| {
        let status = Command::new(program).args(arguments).arg(path).status();
        match status {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("`{program}` ended with {status}")),
            Err(error) => Err(format!("cannot start `{program}`: {error}")),
        }
    };
    match what {
        EditText::File(path) => run(&path).map(|()| None),
        EditText::Text { bytes, suffix } => {
            let name = format!("moonport-{}{suffix}", std::process::id());
            let path = std::env::temp_dir().join(name);
            let written = private_file(&path).and_then(|mut file| file.write_all(&bytes));
            written.map_err(|error| format!("cannot write {}: {error}", path.display()))?;
            let result = run(&path).and_then(|()| {
                std::fs::read(&path).map_err(|error| format!("cannot read it back: {error}"))
            });
            let _ = std::fs::remove_file(&path);
            result.map(|bytes| Some(bytes.into()))
        }
    }
}

/// A new file that only its owner reads.
fn private_file(path: &PathBuf) -> io::Result<std::fs::File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let _ = std::fs::remove_file(path);
    std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)
}

/// Stops this process until its shell continues it.
pub(crate) fn stop_process() -> io::Result<()> {
    nix::sys::signal::raise(nix::sys::signal::Signal::SIGSTOP).map_err(io::Error::from)
}

/// Prints a text and waits for Enter.
pub(crate) fn show_page(text: &str) -> io::Result<()> {
    let mut out = io::stdout();
    writeln!(
        out,
        "{}\n\nEnter goes back to the console.",
        crate::report::printable(text)
    )?;
    out.flush()?;
    let mut byte = [0];
    while io::stdin().read(&mut byte)? == 1 && byte != *b"\n" {}
    Ok(())
}

/// Copies through the first helper program that works. The error is for a person.
pub(crate) fn copy_by_helper(helpers: &[Vec<String>], text: &str) -> Result<(), String> {
    for helper in helpers {
        let Some((program, arguments)) = helper.split_first() else {
            continue;
        };
        let started = Command::new(program)
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        let Ok(mut child) = started else { continue };
        let fed = child
            .stdin
            .take()
            .is_some_and(|mut pipe| pipe.write_all(text.as_bytes()).is_ok());
        if fed && child.wait().is_ok_and(|status| status.success()) {
            return Ok(());
        }
    }
    Err("it is too long for the terminal to copy; x saves it to a file".to_owned())
}
