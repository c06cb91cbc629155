//! Tag expressions: `*`, or tags separated by `||`. There are no wildcards, no AND and no NOT.

use super::verdict::quoted;
use super::{Explained, FilterError, Verdict, check_length};

/// The tags a subscription wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TagExpression {
    /// Exact tags in the order written; none means every message.
    tags: Vec<String>,
}

impl TagExpression {
    /// `*` and blank text want everything; any other text is split at `||`, its pieces trimmed, blank ones skipped.
    /// A star beside other tags is a tag like any other. Separators alone are refused.
    pub fn parse(text: &str) -> Result<Self, FilterError> {
        check_length(text)?;
        if matches!(text.trim(), "" | "*") {
            return Ok(Self { tags: Vec::new() });
        }
        let tags: Vec<String> = text
            .split("||")
            .map(str::trim)
            .filter(|tag| !tag.is_empty())
            .map(str::to_owned)
            .collect();
        if tags.is_empty() {
            return Err(FilterError::Unexpected {
                column: 1,
                expected: "a tag",
                found: quoted(text),
                hint: Some("write `*` for every message, or tags as in `TagA || TagB`"),
            });
        }
        Ok(Self { tags })
    }

    /// Whether every message matches, with or without a tag.
    pub fn is_all(&self) -> bool {
        self.tags.is_empty()
    }

    /// The tags in the order written; empty when all are wanted.
    pub fn tags(&self) -> &[String] {
        &self.tags
    }

    /// Exact, case-sensitive. A message without a tag matches only an expression that wants everything.
    pub fn matches(&self, tag: Option<&str>) -> bool {
        self.is_all() || tag.is_some_and(|tag| self.tags.iter().any(|wanted| wanted == tag))
    }

    /// The same decision, told to a person.
    pub fn explain(&self, tag: Option<&str>) -> Explained {
        let matches = self.matches(tag);
        let reason = match tag {
            _ if self.is_all() => "the filter wants every message".to_owned(),
            None => "the message has no tag, which only `*` matches".to_owned(),
            Some(tag) if matches => format!("{} is one of the wanted tags", quoted(tag)),
            Some(tag) => format!("{} is none of the wanted tags", quoted(tag)),
        };
        Explained {
            verdict: if matches {
                Verdict::True
            } else {
                Verdict::False
            },
            reason,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{TagExpression, Verdict};

    #[test]
    fn tags_match_exactly_as_section_11_1_says() {
        let cases: &[(&str, Option<&str>, bool)] = &[
            ("*", None, true),
            ("*", Some("A"), true),
            ("", None, true),
            (" * ", Some("A"), true),
            ("A", Some("A"), true),
            ("A", Some("a"), false),
            ("A", None, false),
            ("A||B", Some("B"), true),
            (" A || B ", Some("A"), true),
            ("A || || B", Some("B"), true),
            ("A || *", Some("*"), true),
            ("A || *", Some("B"), false),
            ("A | B", Some("A"), false),
            ("Tag*", Some("TagA"), false),
        ];
        for (text, tag, expected) in cases {
            let expression = TagExpression::parse(text).unwrap();
            assert_eq!(expression.matches(*tag), *expected, "{text:?} on {tag:?}");
            let explained = expression.explain(*tag);
            assert_eq!(explained.verdict == Verdict::True, *expected, "{text:?}");
        }
    }

    #[test]
    fn separators_alone_are_refused() {
        for text in ["||", " || ", "|| ||"] {
            let error = TagExpression::parse(text).unwrap_err();
            assert_eq!((error.column(), error.expected()), (1, "a tag"));
        }
    }

    #[test]
    fn a_verdict_names_the_tag() {
        let expression = TagExpression::parse("A || B").unwrap();
        assert_eq!(
            expression.explain(Some("C")).reason,
            "`C` is none of the wanted tags"
        );
    }
}
