//! Files: what is saved on request, and what the console remembers for next time.

use std::path::{Path, PathBuf};

use tokio::io::AsyncWriteExt as _;

use crate::control::logs::{LogFrom, LogQuery};
use crate::report::{Exit, Report};
use crate::ui::effect::{Done, SaveContent, SaveFile, SaveIn};
use crate::ui::engine::{Engine, told};

/// Records read at once for a file.
const PAGE: usize = 5_000;

impl Engine {
    /// Writes a file; an existing one is not overwritten but given a number.
    pub async fn save(&self, file: SaveFile) -> Result<Done, Report> {
        let folder = match file.folder {
            SaveIn::Directory => self.directory.clone(),
            SaveIn::Templates => self
                .templates
                .clone()
                .unwrap_or_else(|| self.directory.clone()),
        };
        let wanted = folder.join(&file.path);
        let failed = |error: std::io::Error| {
            Report::plain(
                format!("cannot write {}: {error}", wanted.display()),
                Some("choose another folder or name".to_owned()),
                Exit::Failed,
            )
        };
        if let Some(parent) = wanted.parent() {
            tokio::fs::create_dir_all(parent).await.map_err(failed)?;
        }
        let replaces = file.folder == SaveIn::Templates;
        let (path, mut out) = create(&wanted, replaces).await.map_err(failed)?;
        let bytes = match file.content {
            SaveContent::Bytes(bytes) => {
                out.write_all(&bytes).await.map_err(failed)?;
                bytes.len() as u64
            }
            SaveContent::Log { query, json } => {
                self.write_log(query, json, &mut out, &failed).await?
            }
        };
        out.flush().await.map_err(failed)?;
        Ok(Done::Saved { path, bytes })
    }

    async fn write_log(
        &self,
        mut query: LogQuery,
        json: bool,
        out: &mut tokio::fs::File,
        failed: &(dyn Fn(std::io::Error) -> Report + Sync),
    ) -> Result<u64, Report> {
        let mut written = 0;
        query.limit = PAGE;
        loop {
            let page = told(self.control.logs.logs(query.clone()).await)?;
            let mut text = String::new();
            for record in &page.records {
                if json {
                    text.push_str(&serde_json::to_string(record).unwrap_or_default());
                } else {
                    text.push_str(record.text.trim_end_matches('\n'));
                }
                text.push('\n');
            }
            out.write_all(text.as_bytes()).await.map_err(failed)?;
            written += text.len() as u64;
            match page.records.last() {
                Some(last) if page.more => query.from = LogFrom::After(last.number),
                _ => return Ok(written),
            }
        }
    }
}

/// Opens a new file; `replaces` takes an existing one's place.
async fn create(wanted: &Path, replaces: bool) -> std::io::Result<(PathBuf, tokio::fs::File)> {
    if replaces {
        let file = tokio::fs::File::create(wanted).await?;
        return Ok((wanted.to_owned(), file));
    }
    let mut path = wanted.to_owned();
    for number in 2..1000 {
        let opened = tokio::fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .open(&path)
            .await;
        match opened {
            Ok(file) => return Ok((path, file)),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {
                path = numbered(wanted, number);
            }
            Err(error) => return Err(error),
        }
    }
    Err(std::io::ErrorKind::AlreadyExists.into())
}

/// `name-2.ext`.
fn numbered(path: &Path, number: u32) -> PathBuf {
    let stem = path
        .file_stem()
        .map_or_else(String::new, |stem| stem.to_string_lossy().into_owned());
    let name = match path.extension() {
        Some(extension) => format!("{stem}-{number}.{}", extension.to_string_lossy()),
        None => format!("{stem}-{number}"),
    };
    path.with_file_name(name)
}
