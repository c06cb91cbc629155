//! The console, over this process's own engine or the owner's.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, BufReader};

use crate::app::error::AppError;
use crate::app::guide::OrderGuide;
use crate::app::mode::serve::carry_over;
use crate::app::mode::socket::OwnersSocket;
use crate::app::mode::{Launch, PATIENCE, surroundings};
use crate::app::order_workflow::{self, EVENT, WORKFLOW_FILE};
use crate::app::owner::{Access, reach};
use crate::app::socket;
use crate::app::wiring::Engine;
use crate::cli::keys::Keys;
use crate::config::paths::DataDir;
use crate::control::Control;
use crate::report::{Exit, Report};
use crate::ui;
use crate::ui::keymap::Keymap;
use crate::ui::options::{ConsoleOptions, Ended};
use crate::workflow::file::Workflow;

/// The person's key table, beside the configuration file.
const KEY_FILE: &str = "keys.toml";
/// The topic of the sample event.
const EVENT_TOPIC: &str = "message-processing";
/// Where the console keeps drafts and history, below the data directory.
const MEMORY: &str = "console";
/// Real time that running invocations get when the person asked to let them end.
const DRAIN: Duration = Duration::from_secs(30);

impl Launch {
    pub(super) async fn console(&self) -> Result<u8, Report> {
        self.needs_terminal()?;
        let workflow = self.workflow(None)?;
        match reach(self.data(), &self.real).await? {
            Access::Beside(client) => {
                let mut options = self.screen(self.data())?;
                options.attached = true;
                shown(socket::control::control(client), options).await?;
                Ok(0)
            }
            Access::Owner(lock) => {
                let _log = self.log(self.data());
                let engine = Engine::start(self.engine(self.data().clone())?, lock).await?;
                self.over(engine, self.data(), workflow, true).await
            }
        }
    }

    pub(super) async fn demo(&self) -> Result<u8, Report> {
        self.needs_terminal()?;
        let files = crate::app::throwaway::Throwaway::new()?;
        let folder = order_workflow::write(files.path()).map_err(AppError::NoThrowaway)?;
        let workflow = self.workflow(Some(&folder.join(WORKFLOW_FILE)))?;
        let (throwaway, engine) = self.throwaway_engine().await?;
        let data = DataDir::new(throwaway.path()).map_err(super::misplaced)?;
        ready_event(&data).map_err(AppError::NoThrowaway)?;
        self.over(engine, &data, workflow, false).await
    }

    /// Refuses to go on where there is no terminal, before anything is opened.
    #[expect(clippy::unused_self, reason = "the terminal is part of the launch")]
    pub(in crate::app) fn needs_terminal(&self) -> Result<(), AppError> {
        if std::io::stdin().is_terminal() && std::io::stdout().is_terminal() {
            Ok(())
        } else {
            Err(AppError::NoTerminal)
        }
    }

    /// The console over an engine of this process, with the socket beside it; the engine ends with it. Where the directory
    /// lasts, `serve` may go on with it.
    pub(in crate::app) async fn over(
        &self,
        engine: Engine,
        data: &DataDir,
        workflow: Option<Workflow>,
        can_leave: bool,
    ) -> Result<u8, Report> {
        let working = async {
            if let Some(workflow) = &workflow {
                carry_over(&engine.control, workflow).await?;
            }
            let mut options = self.screen(data)?;
            options.can_leave = can_leave;
            let socket = OwnersSocket::open(data, engine.control.clone())?;
            let ended = shown(engine.control.clone(), options).await;
            socket.close().await;
            ended
        };
        let ended = working.await;
        let patience = match &ended {
            Ok(Ended::Drain) => DRAIN,
            Ok(Ended::Signal | Ended::Leave) => PATIENCE,
            Ok(Ended::Now) | Err(_) => Duration::ZERO,
        };
        engine.stop(patience).await;
        if matches!(ended, Ok(Ended::Leave)) {
            self.leave_to_serve(data).await?;
        }
        ended.map(|_| 0)
    }

    /// Starts `serve` on the directory, away from this terminal, and returns once clients can connect.
    async fn leave_to_serve(&self, data: &DataDir) -> Result<(), Report> {
        let failed = |causes: Vec<String>| {
            let hint =
                Some("`moonport serve` starts it by hand; all that is stored is there".to_owned());
            let mut report = Report::plain("the broker does not go on", hint, Exit::Failed);
            report.causes = causes;
            report
        };
        let program = std::env::current_exe().map_err(AppError::NoProgram)?;
        let mut serve = tokio::process::Command::new(program);
        serve.arg("serve").arg("--data-dir").arg(data.root());
        if let Some(file) = self
            .settings
            .paths
            .config
            .as_ref()
            .filter(|_| self.settings.paths.config_named)
        {
            serve.arg("--config").arg(file);
        }
        serve
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // The terminal's end is not its end.
            .process_group(0);
        let mut serve = serve
            .spawn()
            .map_err(|error| failed(vec![error.to_string()]))?;
        let mut ready = String::new();
        if let Some(out) = serve.stdout.take() {
            let read = BufReader::new(out).read_line(&mut ready).await;
            read.map_err(|error| failed(vec![error.to_string()]))?;
        }
        if !ready.starts_with("ready ") {
            return Err(failed(vec!["`moonport serve` ended at once".to_owned()]));
        }
        let pid = serve.id().unwrap_or_default();
        self.out.line(&format!(
            "the broker goes on in process {pid}: `moonport` shows it again, `kill {pid}` stops it"
        ))?;
        Ok(())
    }

    /// What the console is told of settings, terminal and folders.
    fn screen(&self, data: &DataDir) -> Result<ConsoleOptions, Report> {
        let settings = &self.settings.console;
        let depth = surroundings::depth(settings.color);
        let mut options = ConsoleOptions::new(depth);
        let folder = self.settings.paths.config_folder();
        let themes = folder
            .map(|folder| folder.join("themes"))
            .unwrap_or_default();
        options.own_themes = surroundings::own_themes(&themes);
        if let Some(name) = &settings.theme {
            options.theme = surroundings::theme(name, &options.own_themes, &themes, depth)?;
        }
        options.clipboards = surroundings::clipboards();
        let (keys, faults) = self.keymap();
        options.keys = keys;
        options.warnings = faults;
        options.read_only = settings.read_only;
        options.ascii = settings.ascii || !surroundings::speaks_unicode();
        options.plain = settings.plain;
        options.mouse = settings.mouse;
        options.motion = settings.motion;
        options.remote_terminal = surroundings::is_set("SSH_CONNECTION");
        options.multiplexer = surroundings::is_set("TMUX") || surroundings::is_set("STY");
        options.zone = jiff::tz::TimeZone::system();
        options.memory = Some(data.root().join(MEMORY));
        options.directory = super::current_folder()?;
        options.templates = folder.map(|folder| folder.join("templates"));
        if let Some(editor) = surroundings::editor() {
            options.editor = editor;
        }
        options.guide = Some(Arc::new(OrderGuide(data.functions())));
        Ok(options)
    }

    /// The key table in force, and the faults of the person's file.
    fn keymap(&self) -> (Keymap, Vec<String>) {
        let folder = self.settings.paths.config_folder();
        let file = folder.map(|folder| folder.join(KEY_FILE));
        read_keys(file).unwrap_or_default()
    }

    pub(super) fn keys(&self, keys: &Keys) -> Result<u8, Report> {
        let (keymap, faults) = match &keys.check {
            None => self.keymap(),
            Some(file) => read_keys(Some(file.clone())).ok_or_else(|| {
                let headline = format!("cannot read `{}`", file.display());
                Report::plain(headline, None, Exit::Usage)
            })?,
        };
        if keys.check.is_some() && !faults.is_empty() {
            let mut report = Report::plain("the key file has faults", None, Exit::Failed);
            report.causes = faults;
            return Err(report);
        }
        for (context, actions) in keymap.table() {
            self.out.line(&format!("[{}]", context.name()))?;
            for (action, chords) in actions {
                self.out
                    .line(&format!("  {:<24}  {}", chords.join(", "), action.name()))?;
            }
        }
        Ok(0)
    }
}

/// The sample event as the send dialog's draft.
fn ready_event(data: &DataDir) -> std::io::Result<()> {
    let draft = serde_json::json!({
        EVENT_TOPIC: { "topic": EVENT_TOPIC, "type": "NORMAL", "body": EVENT },
    });
    let folder = data.root().join(MEMORY);
    std::fs::create_dir_all(&folder)?;
    std::fs::write(folder.join("drafts.json"), draft.to_string())
}

async fn shown(control: Control, options: ConsoleOptions) -> Result<Ended, Report> {
    let ended = ui::run(control, options).await;
    ended.map_err(|error| Report::new(&error, Exit::Usage))
}

fn read_keys(file: Option<PathBuf>) -> Option<(Keymap, Vec<String>)> {
    let file = file?;
    let text = std::fs::read_to_string(&file).ok()?;
    let (keymap, faults) = Keymap::with_file(&file.display().to_string(), &text);
    let faults = faults.iter().map(ToString::to_string).collect();
    Some((keymap, faults))
}
