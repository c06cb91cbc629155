//! What a closure says when it fails.

use std::error::Error;

use serde::Serialize;

/// A failed call: becomes the JSON object that every runtime answers with (PY-6, RS-4).
///
/// `?` works on any standard error: its type's short name and its chain of sources are kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FunctionError {
    #[serde(rename = "errorMessage")]
    pub message: String,
    pub error_type: String,
    pub stack_trace: Vec<String>,
}

impl FunctionError {
    /// An error without a Rust error value behind it.
    pub fn new(error_type: impl Into<String>, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            error_type: error_type.into(),
            stack_trace: Vec::new(),
        }
    }

    /// The error object, indented by four as Python's runtime writes it.
    pub(crate) fn to_json(&self) -> String {
        let mut text = Vec::new();
        let four = serde_json::ser::PrettyFormatter::with_indent(b"    ");
        let mut writer = serde_json::Serializer::with_formatter(&mut text, four);
        // Strings and lists of strings always have a JSON form.
        let _ = self.serialize(&mut writer);
        String::from_utf8(text).unwrap_or_default()
    }
}

impl<E: Error> From<E> for FunctionError {
    fn from(error: E) -> Self {
        let mut stack_trace = Vec::new();
        let mut source = error.source();
        while let Some(cause) = source {
            stack_trace.push(format!("caused by: {cause}"));
            source = cause.source();
        }
        Self {
            message: error.to_string(),
            error_type: short_name(std::any::type_name::<E>()).to_owned(),
            stack_trace,
        }
    }
}

/// `ParseIntError` of `core::num::error::ParseIntError`; parameters of the type are left out.
fn short_name(path: &str) -> &str {
    let plain = path.split('<').next().unwrap_or(path);
    plain.rsplit("::").next().unwrap_or(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, thiserror::Error)]
    #[error("cannot read the amount")]
    struct BadAmount(#[source] std::num::ParseIntError);

    fn amount(text: &str) -> Result<u32, FunctionError> {
        Ok(text.parse().map_err(BadAmount)?)
    }

    #[test]
    fn a_question_mark_keeps_type_text_and_chain_rs4() {
        let error = amount("x").unwrap_err();
        assert_eq!(error.error_type, "BadAmount");
        assert_eq!(error.message, "cannot read the amount");
        assert_eq!(
            error.stack_trace,
            ["caused by: invalid digit found in string"]
        );
    }

    #[test]
    fn the_error_object_has_pythons_keys_and_indent_py6() {
        let text = FunctionError::new("NoStock", "no stock").to_json();
        assert_eq!(
            text,
            "{\n    \"errorMessage\": \"no stock\",\n    \"errorType\": \"NoStock\",\n    \"stackTrace\": []\n}"
        );
    }
}
