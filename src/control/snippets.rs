//! Programs to paste: a producer in each language with an official RocketMQ 5 client, ready for an endpoint.

use crate::control::instances::{Endpoint, InstanceRow};

/// The endpoint that the texts name.
const ENDPOINT: &str = "127.0.0.1:8081";

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Snippet {
    /// As a person says it.
    pub language: &'static str,
    /// The file it would be.
    pub file: &'static str,
    text: &'static str,
}

macro_rules! snippet {
    ($language:literal, $file:literal) => {
        Snippet {
            language: $language,
            file: $file,
            text: include_str!(concat!("../../assets/snippets/", $file)),
        }
    };
}

pub const SNIPPETS: [Snippet; 5] = [
    snippet!("Java", "Producer.java"),
    snippet!("Python", "producer.py"),
    snippet!("Go", "producer.go"),
    snippet!("Node.js", "producer.js"),
    snippet!("Rust", "producer.rs"),
];

/// Where an instance's clients connect, or will.
pub fn address(row: &InstanceRow) -> String {
    match (&row.endpoint, &row.definition.listen) {
        (Endpoint::Listening { address, .. }, _) | (_, Some(address)) => address.clone(),
        _ => ENDPOINT.to_owned(),
    }
}

impl Snippet {
    /// The program for this endpoint.
    pub fn at(&self, endpoint: &str) -> String {
        self.text.replace(ENDPOINT, endpoint)
    }

    /// By its language, in any case; `node` and `js` are Node.js.
    pub fn named(language: &str) -> Option<&'static Self> {
        let wanted = match language.to_lowercase().as_str() {
            "node" | "nodejs" | "js" | "javascript" => "node.js".to_owned(),
            other => other.to_owned(),
        };
        SNIPPETS
            .iter()
            .find(|snippet| snippet.language.to_lowercase() == wanted)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_snippet_takes_the_endpoint() {
        for snippet in SNIPPETS {
            let text = snippet.at("[::1]:9");
            assert!(
                text.contains("[::1]:9") && !text.contains(ENDPOINT),
                "{text}"
            );
            assert_eq!(
                Snippet::named(snippet.language),
                SNIPPETS.iter().find(|s| **s == snippet)
            );
        }
        assert_eq!(Snippet::named("NODE").map(|s| s.file), Some("producer.js"));
        assert_eq!(Snippet::named("cobol"), None);
    }
}
