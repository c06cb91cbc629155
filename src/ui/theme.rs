//! Colours by meaning. Code names tokens; a theme file gives each token a colour per depth.

use std::fmt;

use ratatui::style::{Color, Modifier, Style};
use serde::Deserialize;

macro_rules! tokens {
    ($($variant:ident $name:literal,)*) => {
        /// What a piece of the screen means.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
        pub enum Token {
            #[default]
            $($variant,)*
        }

        impl Token {
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// Its name in a theme file.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name,)* }
            }
        }
    };
}

tokens! {
    Text "text",
    Muted "muted",
    Accent "accent",
    Border "border",
    Focus "focus",
    Title "title",
    Ok "ok",
    Warn "warn",
    Error "error",
    Info "info",
    Key "key",
    JsonKey "json.key",
    JsonString "json.str",
    JsonNumber "json.num",
    JsonLiteral "json.lit",
    Chart "chart",
    Match "match",
}

/// How many colours the terminal shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Depth {
    Mono,
    Ansi16,
    Ansi256,
    True,
}

/// A fault in a theme file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ThemeError {
    #[error("{file}: {problem}")]
    NotToml { file: String, problem: String },
    #[error("{file}: no token `{token}`; {known}")]
    UnknownToken {
        file: String,
        token: String,
        known: String,
    },
    #[error("{file}: `{token}`: `{value}` is no colour")]
    BadColour {
        file: String,
        token: String,
        value: String,
    },
    #[error("no theme `{name}`; there are {known}")]
    NoTheme { name: String, known: String },
}

/// The themes that come with the program.
pub const BUILTIN: &[(&str, &str)] = &[
    (
        "terminal",
        include_str!("../../assets/themes/terminal.toml"),
    ),
    (
        "moon-dark",
        include_str!("../../assets/themes/moon-dark.toml"),
    ),
    (
        "moon-light",
        include_str!("../../assets/themes/moon-light.toml"),
    ),
    (
        "high-contrast",
        include_str!("../../assets/themes/high-contrast.toml"),
    ),
    (
        "blue-orange",
        include_str!("../../assets/themes/blue-orange.toml"),
    ),
    ("mono", include_str!("../../assets/themes/mono.toml")),
];

/// Colours in force, reduced to the depth of the terminal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Theme {
    pub name: String,
    pub depth: Depth,
    styles: Vec<Style>,
}

/// A theme as written.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
struct ThemeFile {
    /// The theme whose values stand where this one is silent.
    #[serde(default)]
    inherit: Option<String>,
    /// Painted behind everything; the terminal's own when absent.
    #[serde(default)]
    background: Option<Paint>,
    #[serde(default)]
    tokens: toml::Table,
}

#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Paint {
    /// `#rrggbb`.
    rgb: Option<String>,
    /// Number in the 256 colour table; the nearest to `rgb` when absent.
    index: Option<u8>,
    /// Name among the 16 colours.
    ansi: Option<String>,
    bold: bool,
    dim: bool,
    italic: bool,
    underline: bool,
}

impl Theme {
    /// A theme of the program, by name.
    pub fn builtin(name: &str, depth: Depth) -> Result<Self, ThemeError> {
        let text = builtin_text(name).ok_or_else(|| no_theme(name))?;
        Self::parse(name, name, text, depth)
    }

    /// A theme from a file's text; `file` is for errors.
    pub fn parse(name: &str, file: &str, text: &str, depth: Depth) -> Result<Self, ThemeError> {
        let mut styles = vec![Style::reset(); Token::ALL.len()];
        if depth == Depth::Mono {
            // Attributes are kept, colours are not.
            apply(file, text, depth, &mut styles, 0)?;
            for style in &mut styles {
                *style = style.fg(Color::Reset).bg(Color::Reset);
            }
        } else {
            apply(file, text, depth, &mut styles, 0)?;
        }
        Ok(Self {
            name: name.to_owned(),
            depth,
            styles,
        })
    }

    /// No colours and no attributes.
    pub fn bare(depth: Depth) -> Self {
        Self {
            name: "bare".to_owned(),
            depth,
            styles: vec![Style::reset(); Token::ALL.len()],
        }
    }

    pub fn style(&self, token: Token) -> Style {
        self.styles.get(token as usize).copied().unwrap_or_default()
    }

    /// The selected row: reverse video in the colour of plain text.
    pub fn select(&self) -> Style {
        self.style(Token::Text).add_modifier(Modifier::REVERSED)
    }

    pub fn names() -> Vec<&'static str> {
        BUILTIN.iter().map(|(name, _)| *name).collect()
    }
}

fn builtin_text(name: &str) -> Option<&'static str> {
    BUILTIN
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, text)| *text)
}

fn no_theme(name: &str) -> ThemeError {
    ThemeError::NoTheme {
        name: name.to_owned(),
        known: Theme::names().join(", "),
    }
}

fn apply(
    file: &str,
    text: &str,
    depth: Depth,
    styles: &mut [Style],
    nesting: usize,
) -> Result<(), ThemeError> {
    let not_toml = |error: toml::de::Error| ThemeError::NotToml {
        file: file.to_owned(),
        problem: error.to_string().trim().replace('\n', " "),
    };
    let theme: ThemeFile = toml::from_str(text).map_err(not_toml)?;
    if let Some(parent) = theme.inherit.filter(|_| nesting < 4) {
        let text = builtin_text(&parent).ok_or_else(|| no_theme(&parent))?;
        apply(&parent, text, depth, styles, nesting + 1)?;
    }
    if let Some(paint) = &theme.background {
        let bad = |value| bad_colour(file, "background", value);
        let color = paint.color(depth).map_err(bad)?.unwrap_or(Color::Reset);
        for style in styles.iter_mut() {
            *style = style.bg(color);
        }
    }
    for (name, value) in theme.tokens {
        let token = Token::ALL.iter().find(|token| token.name() == name);
        let Some(token) = token else {
            return Err(ThemeError::UnknownToken {
                file: file.to_owned(),
                token: name,
                known: format!("tokens are {}", token_names()),
            });
        };
        let paint: Paint = value.try_into().map_err(not_toml)?;
        let color = paint
            .color(depth)
            .map_err(|value| bad_colour(file, &name, value))?;
        let style = &mut styles[*token as usize];
        if let Some(color) = color {
            *style = style.fg(color);
        }
        *style = paint.attributes(style.remove_modifier(Modifier::all()));
        style.sub_modifier = Modifier::empty();
    }
    Ok(())
}

fn token_names() -> String {
    let names: Vec<&str> = Token::ALL.iter().map(|token| token.name()).collect();
    names.join(", ")
}

fn bad_colour(file: &str, token: &str, value: String) -> ThemeError {
    ThemeError::BadColour {
        file: file.to_owned(),
        token: token.to_owned(),
        value,
    }
}

impl Paint {
    /// The colour at this depth; the offending text when it is none.
    fn color(&self, depth: Depth) -> Result<Option<Color>, String> {
        let rgb = self.rgb.as_deref().map(parse_rgb).transpose()?;
        let ansi = self.ansi.as_deref().map(parse_ansi).transpose()?;
        Ok(match depth {
            Depth::Mono => None,
            Depth::Ansi16 => ansi,
            Depth::Ansi256 => self
                .index
                .map(Color::Indexed)
                .or(rgb.map(|rgb| Color::Indexed(nearest(rgb))))
                .or(ansi),
            Depth::True => rgb.map(|(r, g, b)| Color::Rgb(r, g, b)).or(ansi),
        })
    }

    fn attributes(&self, style: Style) -> Style {
        let mut style = style;
        for (on, modifier) in [
            (self.bold, Modifier::BOLD),
            (self.dim, Modifier::DIM),
            (self.italic, Modifier::ITALIC),
            (self.underline, Modifier::UNDERLINED),
        ] {
            if on {
                style = style.add_modifier(modifier);
            }
        }
        style
    }
}

fn parse_rgb(text: &str) -> Result<(u8, u8, u8), String> {
    let bad = || text.to_owned();
    let digits = text.strip_prefix('#').ok_or_else(bad)?;
    if digits.len() != 6 {
        return Err(bad());
    }
    let number = u32::from_str_radix(digits, 16).map_err(|_| bad())?;
    let [_, r, g, b] = number.to_be_bytes();
    Ok((r, g, b))
}

fn parse_ansi(text: &str) -> Result<Color, String> {
    Ok(match text {
        "default" => Color::Reset,
        "black" => Color::Black,
        "red" => Color::Red,
        "green" => Color::Green,
        "yellow" => Color::Yellow,
        "blue" => Color::Blue,
        "magenta" => Color::Magenta,
        "cyan" => Color::Cyan,
        "white" => Color::Gray,
        "bright-black" => Color::DarkGray,
        "bright-red" => Color::LightRed,
        "bright-green" => Color::LightGreen,
        "bright-yellow" => Color::LightYellow,
        "bright-blue" => Color::LightBlue,
        "bright-magenta" => Color::LightMagenta,
        "bright-cyan" => Color::LightCyan,
        "bright-white" => Color::White,
        _ => return Err(text.to_owned()),
    })
}

const CUBE: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// The nearest of the fixed 240 colours of the 256 colour table.
fn nearest((r, g, b): (u8, u8, u8)) -> u8 {
    let distance = |x: (u8, u8, u8)| {
        let d = |a: u8, b: u8| (i32::from(a) - i32::from(b)).pow(2);
        d(x.0, r) + d(x.1, g) + d(x.2, b)
    };
    (16..=255)
        .min_by_key(|index| distance(table_color(*index)))
        .unwrap_or(7)
}

/// Colour `index` of the table, from 16 on.
pub(super) fn table_color(index: u8) -> (u8, u8, u8) {
    if index >= 232 {
        let level = 8 + (index - 232) * 10;
        return (level, level, level);
    }
    let at = usize::from(index.saturating_sub(16));
    (CUBE[at / 36 % 6], CUBE[at / 6 % 6], CUBE[at % 6])
}

impl fmt::Display for Depth {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mono => "no colour",
            Self::Ansi16 => "16 colours",
            Self::Ansi256 => "256 colours",
            Self::True => "true colour",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn luminance(color: Color) -> f64 {
        let Color::Rgb(r, g, b) = color else {
            panic!("{color:?}")
        };
        let part = |c: u8| {
            let c = f64::from(c) / 255.0;
            if c <= 0.04045 {
                c / 12.92
            } else {
                ((c + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b)
    }

    #[test]
    fn every_builtin_theme_reads_at_every_depth() {
        for name in Theme::names() {
            for depth in [Depth::Mono, Depth::Ansi16, Depth::Ansi256, Depth::True] {
                Theme::builtin(name, depth).unwrap();
            }
        }
    }

    #[test]
    fn no_token_of_an_rgb_theme_is_faint() {
        for name in ["moon-dark", "moon-light", "high-contrast", "blue-orange"] {
            let theme = Theme::builtin(name, Depth::True).unwrap();
            for token in Token::ALL {
                if matches!(token, Token::Border) {
                    continue;
                }
                let style = theme.style(*token);
                let (a, b) = (luminance(style.fg.unwrap()), luminance(style.bg.unwrap()));
                let ratio = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                assert!(ratio >= 4.5, "{name} {}: {ratio:.2}", token.name());
            }
        }
    }

    #[test]
    fn mono_has_no_colour_and_keeps_attributes() {
        let theme = Theme::builtin("moon-dark", Depth::Mono).unwrap();
        for token in Token::ALL {
            assert_eq!(theme.style(*token).fg, Some(Color::Reset));
            assert_eq!(theme.style(*token).bg, Some(Color::Reset));
        }
        assert!(theme.select().add_modifier.contains(Modifier::REVERSED));
    }

    #[test]
    fn a_partial_theme_inherits_and_faults_name_the_file() {
        let text = "inherit = \"moon-dark\"\n[tokens]\naccent = { rgb = \"#ff0000\" }\n";
        let own = Theme::parse("own", "own.toml", text, Depth::True).unwrap();
        let dark = Theme::builtin("moon-dark", Depth::True).unwrap();
        assert_eq!(own.style(Token::Accent).fg, Some(Color::Rgb(255, 0, 0)));
        assert_eq!(own.style(Token::Text), dark.style(Token::Text));
        for (text, piece) in [
            ("[tokens]\nglow = {}\n", "no token `glow`"),
            ("[tokens]\ntext = { rgb = \"red\" }\n", "`red` is no colour"),
            ("inherit = \"nope\"\n", "no theme `nope`"),
            ("tokens = 3\n", "own.toml"),
        ] {
            let error = Theme::parse("own", "own.toml", text, Depth::True).unwrap_err();
            assert!(error.to_string().contains(piece), "{error}");
        }
    }

    #[test]
    fn the_nearest_colour_of_a_table_colour_is_itself() {
        for index in 16..=255_u8 {
            assert_eq!(table_color(nearest(table_color(index))), table_color(index));
        }
    }
}
