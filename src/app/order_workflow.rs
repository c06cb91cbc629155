//! The files of the order workflow, carried in the program.

use std::io;
use std::path::{Path, PathBuf};

/// The workflow file, by its path below the folder.
pub const WORKFLOW_FILE: &str = "moonport.toml";
/// The sample event, likewise.
pub const EVENT_FILE: &str = "event.json";

/// The article's event and handler.
pub const EVENT: &str = include_str!("../../assets/order-workflow/event.json");
pub const HANDLER: &str =
    include_str!("../../assets/order-workflow/functions/order_logger/index.py");

const FILES: [(&str, &str); 3] = [
    (
        WORKFLOW_FILE,
        include_str!("../../assets/order-workflow/moonport.toml"),
    ),
    (EVENT_FILE, EVENT),
    ("functions/order_logger/index.py", HANDLER),
];

/// Writes the files that are missing below `folder`, and returns the workflow's own folder. What a person has edited stays.
pub fn write(folder: &Path) -> io::Result<PathBuf> {
    let root = folder.join("order-workflow");
    for (name, text) in FILES {
        let file = root.join(name);
        if file.exists() {
            continue;
        }
        file.parent().map_or(Ok(()), std::fs::create_dir_all)?;
        std::fs::write(&file, text)?;
    }
    Ok(root)
}
