//! JSON as text: checked with line and column, coloured, laid out and packed without a value round trip, so that key
//! order, numbers and duplicate keys stay as they were sent.

use crate::ui::theme::Token;
use crate::ui::widget::line::Line;

/// Why a text is not JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonFault {
    /// From 1.
    pub line: usize,
    /// In characters, from 1.
    pub column: usize,
    pub problem: String,
}

/// Checks a text; `None` when it is JSON.
pub fn check(text: &str) -> Option<JsonFault> {
    let error = serde_json::from_str::<serde::de::IgnoredAny>(text).err()?;
    let full = error.to_string();
    let problem = full.split(" at line ").next().unwrap_or(&full).to_owned();
    let line = error.line().max(1);
    let row = text.split('\n').nth(line - 1).unwrap_or("");
    // serde_json counts bytes.
    let column = row
        .char_indices()
        .take_while(|(at, _)| *at + 1 < error.column())
        .count()
        + 1;
    Some(JsonFault {
        line,
        column,
        problem,
    })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Open,
    Close,
    Comma,
    Colon,
    Text,
    Number,
    Literal,
    Space,
}

/// Cuts a text into tokens; anything unknown is a literal. Never fails.
fn tokens(text: &str) -> impl Iterator<Item = (Kind, &str)> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let (kind, length) = match first {
            '{' | '[' => (Kind::Open, 1),
            '}' | ']' => (Kind::Close, 1),
            ',' => (Kind::Comma, 1),
            ':' => (Kind::Colon, 1),
            '"' => (Kind::Text, string_length(rest)),
            c if c.is_whitespace() => (Kind::Space, run(rest, char::is_whitespace)),
            '-' | '0'..='9' => (
                Kind::Number,
                run(rest, |c| c.is_ascii_alphanumeric() || "+-.".contains(c)),
            ),
            _ => (
                Kind::Literal,
                run(rest, |c| !c.is_whitespace() && !"{}[],:\"".contains(c)),
            ),
        };
        let (token, tail) = rest.split_at(length);
        rest = tail;
        Some((kind, token))
    })
}

fn run(text: &str, belongs: impl Fn(char) -> bool) -> usize {
    text.find(|c| !belongs(c)).unwrap_or(text.len()).max(1)
}

/// Bytes of the string that `text` begins with, quotes included; to the end of the line when it is never closed.
fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            '\n' => return at,
            '"' if !escaped => return at + 1,
            _ => escaped = c == '\\' && !escaped,
        }
    }
    text.len()
}

/// One line of a text in colours. A string before a colon is a key; JSON strings never span lines, so a line stands
/// for itself.
pub fn paint_line(text: &str) -> Line {
    let all: Vec<(Kind, &str)> = tokens(text).collect();
    let mut line = Line::new();
    for (index, (kind, token)) in all.iter().enumerate() {
        let is_key = *kind == Kind::Text
            && all[index + 1..]
                .iter()
                .find(|(kind, _)| *kind != Kind::Space)
                .is_some_and(|(kind, _)| *kind == Kind::Colon);
        let paint = match kind {
            Kind::Text if is_key => Token::JsonKey,
            Kind::Text => Token::JsonString,
            Kind::Number => Token::JsonNumber,
            Kind::Literal => Token::JsonLiteral,
            _ => Token::Text,
        };
        line.push((*token).to_owned(), paint);
    }
    line
}

/// A line of laid out JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JsonRow {
    pub text: String,
    /// The row that closes what this one opens.
    pub closes_at: Option<usize>,
}

/// Lays out a JSON text, two blanks per level, at most `max_rows` rows.
pub fn layout(text: &str, max_rows: usize) -> Vec<JsonRow> {
    let mut rows = vec![String::new()];
    let mut opened: Vec<usize> = Vec::new();
    let mut closes = Vec::new();
    let mut all = tokens(text)
        .filter(|(kind, _)| *kind != Kind::Space)
        .peekable();
    while let Some((kind, token)) = all.next() {
        if rows.len() > max_rows {
            break;
        }
        match kind {
            Kind::Open => {
                push(&mut rows, token);
                if matches!(all.peek(), Some((Kind::Close, _))) {
                    continue;
                }
                opened.push(rows.len() - 1);
                rows.push(indent(opened.len()));
            }
            Kind::Close => {
                let empty = rows
                    .last()
                    .is_some_and(|row| row.ends_with(['{', '[']) && closes_pair(row, token));
                if !empty && let Some(start) = opened.pop() {
                    if rows.last().is_some_and(|row| row.trim().is_empty()) {
                        rows.pop();
                    }
                    rows.push(indent(opened.len()));
                    closes.push((start, rows.len() - 1));
                }
                push(&mut rows, token);
            }
            Kind::Comma => {
                push(&mut rows, token);
                rows.push(indent(opened.len()));
            }
            Kind::Colon => push(&mut rows, ": "),
            _ => push(&mut rows, token),
        }
    }
    let mut laid: Vec<JsonRow> = rows
        .into_iter()
        .map(|text| JsonRow {
            text,
            closes_at: None,
        })
        .collect();
    for (start, end) in closes {
        if let Some(row) = laid.get_mut(start) {
            row.closes_at = Some(end);
        }
    }
    laid
}

fn closes_pair(row: &str, close: &str) -> bool {
    matches!(
        (row.chars().next_back(), close),
        (Some('{'), "}") | (Some('['), "]")
    )
}

fn push(rows: &mut [String], token: &str) {
    if let Some(row) = rows.last_mut() {
        row.push_str(token);
    }
}

fn indent(depth: usize) -> String {
    "  ".repeat(depth.min(64))
}

/// The text laid out over lines.
pub fn format(text: &str) -> String {
    let rows: Vec<String> = layout(text, usize::MAX)
        .into_iter()
        .map(|row| row.text)
        .collect();
    rows.join("\n")
}

/// The text without blanks between tokens.
pub fn minify(text: &str) -> String {
    tokens(text)
        .filter(|(kind, _)| *kind != Kind::Space)
        .map(|(_, token)| token)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fault_has_line_and_column_in_characters() {
        let fault = check("{\n  \"é\": 25O\n}").unwrap();
        assert_eq!((fault.line, fault.column), (2, 10));
        assert!(fault.problem.contains("expected"), "{}", fault.problem);
        assert_eq!(check("{\"a\": 1e400}"), None);
        assert!(check("").is_some());
    }

    #[test]
    fn layout_keeps_order_numbers_and_duplicates() {
        let text = r#"{"b":1e400,"a":[1,{"x":null}],"b":[],"c":{}}"#;
        let laid = format(text);
        assert_eq!(
            laid,
            "{\n  \"b\": 1e400,\n  \"a\": [\n    1,\n    {\n      \"x\": null\n    }\n  ],\n  \"b\": [],\n  \"c\": {}\n}"
        );
        assert_eq!(minify(&laid), text);
        let rows = layout(text, usize::MAX);
        assert_eq!(rows[0].closes_at, Some(rows.len() - 1));
        assert_eq!(rows[2].closes_at, Some(7));
    }

    #[test]
    fn half_written_text_is_painted_and_laid_out_without_loss() {
        for text in [
            "{\"a\": \"unclosed",
            "}}]]",
            "[1,,2",
            "\"\\\"",
            "truefalse 中",
        ] {
            assert_eq!(paint_line(text).plain(), text);
            let _ = layout(text, 10);
        }
    }

    #[test]
    fn keys_and_values_differ() {
        let line = paint_line("  \"k\": \"v\", 1, true");
        let tokens: Vec<Token> = line.0.iter().map(|span| span.paint.token).collect();
        assert!(tokens.contains(&Token::JsonKey) && tokens.contains(&Token::JsonString));
        assert!(tokens.contains(&Token::JsonNumber) && tokens.contains(&Token::JsonLiteral));
    }
}
