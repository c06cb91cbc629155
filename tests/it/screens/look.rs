//! Nothing is said by colour alone: what is painted as good or bad has a word or a sign.

use moonport::ui::theme::{Theme, Token};
use ratatui::buffer::Buffer;
use ratatui::style::Modifier;

/// Runs of cells in one of the colours that judge, with their text.
fn judged(buffer: &Buffer, theme: &Theme) -> Vec<String> {
    let colours: Vec<_> = [Token::Ok, Token::Warn, Token::Error]
        .into_iter()
        .filter_map(|token| theme.style(token).fg)
        .collect();
    let mut runs = Vec::new();
    for y in buffer.area.top()..buffer.area.bottom() {
        let mut run = String::new();
        for x in buffer.area.left()..buffer.area.right() {
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

/// Runs in a colour that judges without a word or a sign that says the same.
pub(super) fn judged_in_silence(buffer: &Buffer, theme: &Theme) -> Vec<String> {
    let says = |run: &String| {
        let letters = run.chars().filter(|c| c.is_alphabetic()).count();
        // The rest of a longer text that goes on in the next row.
        let is_rest = !run.contains(char::is_alphanumeric);
        let signs = [
            '▲', '✖', '✓', '●', '○', '◐', '!', '░', '█', '▌', '·', '*', '+', '~',
        ];
        letters >= 2 || run.contains(signs) || run.trim().ends_with(" x") || is_rest
    };
    let mut runs = judged(buffer, theme);
    runs.retain(|run| !says(run));
    runs.into_iter()
        .map(|run| format!("{run:?} is judged by colour alone"))
        .collect()
}
