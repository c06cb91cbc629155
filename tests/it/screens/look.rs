//! Nothing is said by colour alone: themes, depths and NO_COLOR change how a screen looks, never what it says.

use moonport::ui::options::ConsoleOptions;
use moonport::ui::stage::text_of;
use moonport::ui::theme::{Depth, Theme, Token};
use ratatui::buffer::Buffer;
use ratatui::style::Modifier;

use super::{DIALOGS, PLACES, VIEWS, at, options};
use crate::support::live::Live;

const SIZE: (u16, u16) = (120, 35);

fn themed(name: &str, depth: Depth) -> ConsoleOptions {
    ConsoleOptions {
        theme: Theme::builtin(name, depth).unwrap(),
        ..options()
    }
}

#[tokio::test]
async fn every_theme_and_depth_says_the_same() {
    let live = Live::orders().await;
    for (name, keys) in [PLACES, DIALOGS].concat() {
        let mut stage = at(&live, options(), SIZE, keys).await;
        let says = stage.text();
        for theme in Theme::names() {
            for depth in [Depth::Mono, Depth::Ansi16, Depth::Ansi256, Depth::True] {
                stage.state.shared.look.theme = Theme::builtin(theme, depth).unwrap();
                assert_eq!(stage.text(), says, "{name} in {theme}");
            }
        }
    }
}

/// Runs of cells in one of the colours that judge, with their text.
fn judged(buffer: &Buffer, theme: &Theme) -> Vec<String> {
    let colours: Vec<_> = [Token::Ok, Token::Warn, Token::Error]
        .into_iter()
        .filter_map(|token| theme.style(token).fg)
        .collect();
    let mut runs = Vec::new();
    for y in 0..buffer.area.height {
        let mut run = String::new();
        for x in 0..buffer.area.width {
            let cell = &buffer[(x, y)];
            let judges = colours.contains(&cell.fg) && !cell.modifier.contains(Modifier::REVERSED);
            if judges {
                run.push_str(cell.symbol());
            } else if !run.is_empty() {
                runs.push(std::mem::take(&mut run));
            }
        }
        runs.push(run);
    }
    runs.retain(|run| !run.trim().is_empty());
    runs
}

#[tokio::test]
async fn what_is_painted_as_good_or_bad_has_a_word_or_a_sign() {
    let live = Live::orders().await;
    let theme = Theme::builtin("moon-dark", Depth::True).unwrap();
    let mut silent = Vec::new();
    for (name, keys) in [PLACES, VIEWS, DIALOGS].concat() {
        let mut stage = at(&live, themed("moon-dark", Depth::True), SIZE, keys).await;
        for run in judged(&stage.draw(), &theme) {
            let letters = run.chars().filter(|c| c.is_alphabetic()).count();
            // The rest of a longer text that goes on in the next row.
            let is_rest = !run.contains(char::is_alphanumeric);
            let sign = run.contains(['▲', '✖', '✓', '●', '○', '◐', '!', '░', '█', '▌', '·']);
            if letters < 2 && !sign && !is_rest {
                silent.push(format!("{name}: {run:?}"));
            }
        }
    }
    assert!(silent.is_empty(), "{silent:#?}");
}

#[tokio::test]
async fn without_colour_one_row_is_selected_and_one_frame_has_the_focus() {
    let live = Live::orders().await;
    for theme in Theme::names() {
        for (name, keys) in PLACES {
            let mut stage = at(&live, themed(theme, Depth::Mono), SIZE, keys).await;
            let frame = stage.draw();
            let reversed = frame
                .content()
                .iter()
                .filter(|cell| cell.modifier.contains(Modifier::REVERSED));
            assert!(reversed.count() > 8, "{name} in {theme} shows no selection");
            let text = text_of(&frame);
            assert!(text.contains('>'), "{name} has no marker:\n{text}");
            assert_eq!(
                text.matches('┏').count(),
                1,
                "{name} has one focus:\n{text}"
            );
            let coloured = frame.content().iter().any(|cell| {
                cell.fg != ratatui::style::Color::Reset || cell.bg != ratatui::style::Color::Reset
            });
            assert!(!coloured, "{name} in {theme} has colours without colour");
        }
    }
}

#[tokio::test]
async fn ascii_screens_have_no_other_cell() {
    let live = Live::orders().await;
    let ascii = ConsoleOptions {
        ascii: true,
        ..options()
    };
    for (name, keys) in [PLACES, VIEWS, DIALOGS].concat() {
        let mut stage = at(&live, ascii.clone(), SIZE, keys).await;
        let text = stage.text();
        assert!(text.is_ascii(), "{name}:\n{text}");
    }
}

#[tokio::test]
async fn plain_screens_have_no_borders_and_no_charts() {
    let live = Live::orders().await;
    let plain = ConsoleOptions {
        plain: true,
        ..options()
    };
    let mut found = Vec::new();
    for (name, keys) in [PLACES, VIEWS].concat() {
        let mut stage = at(&live, plain.clone(), SIZE, keys).await;
        let text = stage.text();
        let drawn = text.contains(['┃', '│', '━', '─', '▁', '▂', '▃', '▄', '▅', '▆', '▇', '█']);
        if drawn {
            found.push(format!("{name}:\n{text}"));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}
