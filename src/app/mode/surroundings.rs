//! What the console learns of the terminal, the environment and the person's own folder.

use std::path::Path;

use crate::config::raw::Color;
use crate::report::{Exit, Report};
use crate::ui::theme::{Depth, Theme, ThemeError};

/// Most themes of a person's own, and the longest of them, in bytes.
const THEMES: usize = 100;
const THEME_BYTES: u64 = 64 * 1024;

/// The themes in a person's folder: name and text, by name.
pub(super) fn own_themes(folder: &Path) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let themes = entries.filter_map(|entry| {
        let path = entry.path();
        let name = path.file_stem()?.to_str()?.to_owned();
        let is_theme = path
            .extension()
            .is_some_and(|extension| extension == "toml");
        let is_short = entry
            .metadata()
            .is_ok_and(|facts| facts.len() <= THEME_BYTES);
        if !is_theme || !is_short {
            return None;
        }
        Some((name, std::fs::read_to_string(path).ok()?))
    });
    let mut themes: Vec<(String, String)> = themes.take(THEMES).collect();
    themes.sort();
    themes
}

/// The theme of the settings: a person's own comes before the program's of the same name.
pub(super) fn theme(
    name: &str,
    own: &[(String, String)],
    folder: &Path,
    depth: Depth,
) -> Result<Theme, Report> {
    let found = match own.iter().find(|(known, _)| known == name) {
        Some((_, text)) => {
            let file = folder.join(format!("{name}.toml"));
            Theme::parse(name, &file.display().to_string(), text, depth)
        }
        None => Theme::builtin(name, depth),
    };
    found.map_err(|error| {
        let hint = matches!(error, ThemeError::NoTheme { .. }).then(|| {
            format!(
                "a theme of your own is `{}`",
                folder.join("NAME.toml").display()
            )
        });
        Report::plain(error.to_string(), hint, Exit::Usage)
    })
}

/// Programs that copy where the terminal cannot; none over a network, where they would copy on the wrong machine.
pub(super) fn clipboards() -> Vec<Vec<String>> {
    if is_set("SSH_CONNECTION") {
        return Vec::new();
    }
    let candidates: [(bool, &[&str]); 5] = [
        (is_set("WAYLAND_DISPLAY"), &["wl-copy"]),
        (is_set("DISPLAY"), &["xclip", "-selection", "clipboard"]),
        (is_set("DISPLAY"), &["xsel", "--input", "--clipboard"]),
        (cfg!(target_os = "macos"), &["pbcopy"]),
        (is_set("WSL_DISTRO_NAME"), &["clip.exe"]),
    ];
    let usable = candidates.into_iter().filter(|(usable, _)| *usable);
    usable
        .map(|(_, words)| words.iter().map(|word| (*word).to_owned()).collect())
        .collect()
}

/// What the setting says, else what the terminal announces.
pub(super) fn depth(color: Color) -> Depth {
    match color {
        Color::Never => Depth::Mono,
        Color::Ansi16 => Depth::Ansi16,
        Color::Ansi256 => Depth::Ansi256,
        Color::True => Depth::True,
        Color::Auto if is_set("NO_COLOR") => Depth::Mono,
        Color::Auto if ["truecolor", "24bit"].contains(&text("COLORTERM").as_str()) => Depth::True,
        Color::Auto if text("TERM").contains("256color") => Depth::Ansi256,
        Color::Auto => Depth::Ansi16,
    }
}

/// Whether the locale is one of Unicode.
pub(super) fn speaks_unicode() -> bool {
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].map(text);
    let named = locale.iter().find(|name| !name.is_empty());
    named.is_none_or(|name| {
        let name = name.to_uppercase();
        name.contains("UTF-8") || name.contains("UTF8")
    })
}

pub(super) fn editor() -> Option<Vec<String>> {
    let named = ["VISUAL", "EDITOR"].map(text);
    let named = named.iter().find(|name| !name.trim().is_empty())?;
    Some(named.split_whitespace().map(str::to_owned).collect())
}

pub(super) fn is_set(name: &str) -> bool {
    std::env::var_os(name).is_some_and(|value| !value.is_empty())
}

fn text(name: &str) -> String {
    std::env::var(name).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_theme_of_ones_own_is_found_by_name_and_its_faults_name_the_file() {
        let folder = tempfile::tempdir().unwrap();
        let write = |name: &str, text: &str| {
            std::fs::write(folder.path().join(name), text).unwrap();
        };
        write("dusk.toml", "inherit = \"moon-dark\"\n");
        write("broken.toml", "[tokens]\nglow = {}\n");
        write("notes.txt", "no theme");
        let own = own_themes(folder.path());
        let names: Vec<&str> = own.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["broken", "dusk"]);
        let dusk = theme("dusk", &own, folder.path(), Depth::True).unwrap();
        assert_eq!(dusk.name, "dusk");
        let fault = theme("broken", &own, folder.path(), Depth::True).unwrap_err();
        assert!(fault.headline.contains("broken.toml"), "{fault:?}");
        let fault = theme("nope", &own, folder.path(), Depth::True).unwrap_err();
        assert!(fault.hint.unwrap().contains("NAME.toml"));
    }
}
