//! A verdict told to a person: the part that decided it, and the facts about its properties.

use super::super::verdict::quoted;
use super::super::{Explained, Properties, Verdict};
use super::evaluate::{evaluate, verdict};
use super::tree::{Kind, Node};
use super::value::{Fault, Value};

pub(super) fn explain(text: &str, root: &Node, properties: &dyn Properties) -> Explained {
    let explainer = Explainer { text, properties };
    Explained {
        verdict: verdict(root, properties),
        reason: explainer.reason(root),
    }
}

struct Explainer<'a> {
    text: &'a str,
    properties: &'a dyn Properties,
}

impl Explainer<'_> {
    fn reason(&self, node: &Node) -> String {
        match &node.kind {
            Kind::All(parts) => self.joined(node, parts, Verdict::False),
            Kind::Any(parts) => self.joined(node, parts, Verdict::True),
            Kind::Not(inner) => self.inverted(node, inner),
            Kind::Property(name) => self.bare(name),
            _ => self.conclusion(node),
        }
    }

    /// A part with `decisive` settles the rest, as does an error; otherwise NULL parts outweigh, otherwise all agree.
    fn joined(&self, node: &Node, parts: &[Node], decisive: Verdict) -> String {
        let verdict_of = |part: &&Node| verdict(part, self.properties);
        let settles = |part: &&Node| [decisive, Verdict::Error].contains(&verdict_of(part));
        if let Some(part) = parts.iter().find(settles) {
            return self.reason(part);
        }
        let unknown = |part: &&Node| verdict_of(part) == Verdict::Null;
        if let Some(part) = parts.iter().find(unknown) {
            let reason = self.reason(part);
            return format!(
                "{reason}, and no other part of {} decides it",
                self.source(node)
            );
        }
        let reasons: Vec<String> = parts.iter().map(|part| self.reason(part)).collect();
        reasons.join("; ")
    }

    fn inverted(&self, node: &Node, inner: &Node) -> String {
        let outcome = verdict(node, self.properties);
        if outcome == Verdict::Error {
            return self.reason(inner);
        }
        format!(
            "{}, so {} is {outcome}",
            self.reason(inner),
            self.source(node)
        )
    }

    fn bare(&self, name: &str) -> String {
        match self.properties.get(name) {
            None => format!("{} is missing, so it is NULL", quoted(name)),
            Some(value) => format!(
                "{} is {}, which is text and counts as FALSE on its own",
                quoted(name),
                quoted(value)
            ),
        }
    }

    /// The facts about each property of a comparison, then what follows from them.
    fn conclusion(&self, node: &Node) -> String {
        let (facts, outcome) = match evaluate(node, self.properties) {
            Ok(value) => (self.facts(node), outcome(value)),
            Err(fault) => (vec![describe(fault)], Verdict::Error),
        };
        let source = self.source(node);
        if facts.is_empty() {
            return format!("{source} is {outcome}");
        }
        format!("{}, so {source} is {outcome}", facts.join(" and "))
    }

    fn facts(&self, node: &Node) -> Vec<String> {
        let mut facts = Vec::new();
        self.collect(node, &mut facts);
        facts
    }

    fn collect(&self, node: &Node, facts: &mut Vec<String>) {
        let fact = match &node.kind {
            Kind::Property(name) => match self.properties.get(name) {
                None => format!("{} is missing", quoted(name)),
                Some(value) => format!("{} is {}", quoted(name), quoted(value)),
            },
            Kind::Search { wanted, .. } if wanted.is_empty() => {
                "an empty text is never looked for".to_owned()
            }
            Kind::Negate(inner) if self.is_text(inner) => {
                format!(
                    "{} is NULL because a minus works on literal numbers only",
                    self.source(node)
                )
            }
            _ => {
                return node
                    .children()
                    .into_iter()
                    .for_each(|child| self.collect(child, facts));
            }
        };
        if !facts.contains(&fact) {
            facts.push(fact);
        }
    }

    fn is_text(&self, node: &Node) -> bool {
        matches!(evaluate(node, self.properties), Ok(Value::Text(_)))
    }

    fn source(&self, node: &Node) -> String {
        quoted(self.text.get(node.span.clone()).unwrap_or_default())
    }
}

fn outcome(value: Value<'_>) -> Verdict {
    match value.truth() {
        Some(true) => Verdict::True,
        Some(false) => Verdict::False,
        None => Verdict::Null,
    }
}

fn describe(fault: Fault<'_>) -> String {
    match fault {
        Fault::NotInteger(text) => format!("{} is not an integer of 32 bits", quoted(text)),
        Fault::NotLong(text) => format!("{} is not an integer of 64 bits", quoted(text)),
        Fault::NotNumber(text) => format!("{} is not a number", quoted(text)),
        Fault::TruthAgainstText(text) => {
            format!("a condition cannot equal the text {}", quoted(text))
        }
    }
}
