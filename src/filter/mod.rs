//! Which messages a subscription wants: tag lists and SQL92 conditions over message properties.
//! Pure: text in, verdict out. No clock, no IO, and nothing from any other room.

mod error;
mod properties;
pub mod sql;
pub mod tag;
mod verdict;

pub use error::FilterError;
pub use properties::Properties;
pub use verdict::{Explained, Verdict};

use sql::SqlExpression;
use tag::TagExpression;

/// Longest filter text, in characters, of either kind (N17).
pub const MAX_CHARS: usize = 1024;

/// The language of a filter text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FilterKind {
    Tag,
    Sql,
}

/// A checked filter of a subscription.
#[derive(Debug, Clone, PartialEq)]
pub enum Filter {
    /// Every message, with or without a tag.
    All,
    Tag(TagExpression),
    Sql(SqlExpression),
}

impl Filter {
    /// Reads a filter text; a tag list that wants everything becomes [`Filter::All`].
    pub fn parse(kind: FilterKind, text: &str) -> Result<Self, FilterError> {
        match kind {
            FilterKind::Tag => {
                let tags = TagExpression::parse(text)?;
                Ok(if tags.is_all() {
                    Self::All
                } else {
                    Self::Tag(tags)
                })
            }
            FilterKind::Sql => SqlExpression::parse(text).map(Self::Sql),
        }
    }

    /// Whether a message is delivered. Only TRUE delivers (P5). SQL names such as `TAGS` and `KEYS` are
    /// ordinary names that `properties` answers.
    pub fn admits(&self, tag: Option<&str>, properties: &dyn Properties) -> bool {
        match self {
            Self::All => true,
            Self::Tag(tags) => tags.matches(tag),
            Self::Sql(condition) => condition.evaluate(properties) == Verdict::True,
        }
    }

    /// The same decision, told to a person.
    pub fn explain(&self, tag: Option<&str>, properties: &dyn Properties) -> Explained {
        match self {
            Self::All => Explained {
                verdict: Verdict::True,
                reason: "the filter wants every message".to_owned(),
            },
            Self::Tag(tags) => tags.explain(tag),
            Self::Sql(condition) => condition.explain(properties),
        }
    }
}

/// Refuses a text over [`MAX_CHARS`].
fn check_length(text: &str) -> Result<(), FilterError> {
    let length = text.chars().count();
    if length > MAX_CHARS {
        return Err(FilterError::TooLong { length });
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::{Filter, FilterError, FilterKind, MAX_CHARS};

    #[test]
    fn star_and_empty_tags_become_all() {
        for text in ["*", "", "  "] {
            assert_eq!(Filter::parse(FilterKind::Tag, text), Ok(Filter::All));
        }
    }

    #[test]
    fn only_true_admits_p5() {
        let filter = Filter::parse(FilterKind::Sql, "a > 3").unwrap();
        let admits = |value: &str| {
            let properties = BTreeMap::from([("a".to_owned(), value.to_owned())]);
            filter.admits(None, &properties)
        };
        assert!(admits("4"));
        assert!(!admits("3"));
        assert!(!admits("abc"));
        assert!(!filter.admits(Some("a"), &BTreeMap::new()));
    }

    #[test]
    fn length_is_counted_in_characters_n17() {
        let fits = "中".repeat(MAX_CHARS);
        let over = "中".repeat(MAX_CHARS + 1);
        assert!(Filter::parse(FilterKind::Tag, &fits).is_ok());
        for kind in [FilterKind::Tag, FilterKind::Sql] {
            assert_eq!(
                Filter::parse(kind, &over),
                Err(FilterError::TooLong {
                    length: MAX_CHARS + 1
                })
            );
        }
    }
}
