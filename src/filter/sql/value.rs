//! Values at run time and how they compare. The literal decides how the text of a property is read (P6).

use std::cmp::Ordering;

/// A numeric literal. An integer that fits 32 bits is [`Number::Int`], also with the suffix `L` (P6).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Number {
    Int(i32),
    Long(i64),
    Double(f64),
}

/// What a part of an expression is for one message.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Value<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(&'a str),
}

/// Why an evaluation stops; it aborts the whole expression (P10).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault<'a> {
    NotInteger(&'a str),
    NotLong(&'a str),
    NotNumber(&'a str),
    /// A computed truth value on the left of an equality, this text on the right.
    TruthAgainstText(&'a str),
}

impl Number {
    pub(super) fn negated(self) -> Self {
        match self {
            Self::Int(value) => Self::Int(value.wrapping_neg()),
            Self::Long(value) => Self::Long(value.wrapping_neg()),
            Self::Double(value) => Self::Double(-value),
        }
    }

    /// Compares in the wider of the two types; NaN is greatest, and `-0.0` is below `0.0`.
    pub(super) fn compare(self, other: Self) -> Ordering {
        match (self.as_long(), other.as_long()) {
            (Some(left), Some(right)) => left.cmp(&right),
            _ => self.as_double().total_cmp(&other.as_double()),
        }
    }

    fn as_long(self) -> Option<i64> {
        match self {
            Self::Int(value) => Some(i64::from(value)),
            Self::Long(value) => Some(value),
            Self::Double(_) => None,
        }
    }

    #[expect(
        clippy::cast_precision_loss,
        reason = "a 64-bit integer beside a float is compared as a float"
    )]
    fn as_double(self) -> f64 {
        match self {
            Self::Int(value) => f64::from(value),
            Self::Long(value) => value as f64,
            Self::Double(value) => value,
        }
    }

    /// Reads the text of a property in this literal's type.
    fn read(self, text: &str) -> Result<Self, Fault<'_>> {
        match self {
            Self::Int(_) => text
                .parse()
                .map(Self::Int)
                .map_err(|_| Fault::NotInteger(text)),
            Self::Long(_) => text
                .parse()
                .map(Self::Long)
                .map_err(|_| Fault::NotLong(text)),
            Self::Double(_) => read_double(text).map(Self::Double),
        }
    }
}

impl Value<'_> {
    /// As an operand of AND, OR, NOT or the top level: a present value that is no truth value counts as FALSE (P11).
    pub(super) fn truth(self) -> Option<bool> {
        match self {
            Self::Null => None,
            Self::Bool(truth) => Some(truth),
            Self::Number(_) | Self::Text(_) => Some(false),
        }
    }
}

impl From<Option<bool>> for Value<'_> {
    fn from(truth: Option<bool>) -> Self {
        truth.map_or(Self::Null, Self::Bool)
    }
}

/// `=`: NULL on the left alone is NULL, on the right alone FALSE, on both sides TRUE (P9).
pub(super) fn equal<'a>(left: Value<'a>, right: Value<'a>) -> Result<Option<bool>, Fault<'a>> {
    Ok(match (left, right) {
        (Value::Null, Value::Null) => Some(true),
        (Value::Null, _) => None,
        (Value::Text(left), Value::Text(right)) => Some(left == right),
        (Value::Bool(left), Value::Bool(right)) => Some(left == right),
        (Value::Text(text), Value::Bool(truth)) => Some(text.eq_ignore_ascii_case("true") == truth),
        (Value::Bool(_), Value::Text(text)) => return Err(Fault::TruthAgainstText(text)),
        (_, Value::Null)
        | (Value::Bool(_), Value::Number(_))
        | (Value::Number(_), Value::Bool(_)) => Some(false),
        (Value::Number(left), Value::Number(right)) => Some(left.compare(right).is_eq()),
        (Value::Number(number), Value::Text(text)) => {
            Some(number.compare(number.read(text)?).is_eq())
        }
        (Value::Text(text), Value::Number(number)) => {
            Some(number.read(text)?.compare(number).is_eq())
        }
    })
}

/// How two operands of `< <= > >=` stand; `None` where one of them is NULL. Two texts compare as floats (P7).
pub(super) fn order<'a>(left: Value<'a>, right: Value<'a>) -> Result<Option<Ordering>, Fault<'a>> {
    Ok(match (left, right) {
        (Value::Number(left), Value::Number(right)) => Some(left.compare(right)),
        (Value::Number(left), Value::Text(text)) => Some(left.compare(left.read(text)?)),
        (Value::Text(text), Value::Number(right)) => Some(right.read(text)?.compare(right)),
        (Value::Text(left), Value::Text(right)) => {
            Some(read_double(left)?.total_cmp(&read_double(right)?))
        }
        (Value::Null | Value::Bool(_), _) | (_, Value::Null | Value::Bool(_)) => None,
    })
}

/// The reference's reading of a float: blanks around it, an exponent and a type suffix are fine, `NaN` and `Infinity`
/// are spelt exactly so.
fn read_double(text: &str) -> Result<f64, Fault<'_>> {
    let trimmed = text.trim_matches(|character: char| character <= ' ');
    let (sign, digits) = match trimmed.strip_prefix('-') {
        Some(digits) => (-1.0, digits),
        None => (1.0, trimmed.strip_prefix('+').unwrap_or(trimmed)),
    };
    match digits {
        "NaN" => return Ok(f64::NAN),
        "Infinity" => return Ok(sign * f64::INFINITY),
        _ => {}
    }
    let digits = digits.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(digits);
    if !digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') {
        return Err(Fault::NotNumber(text));
    }
    match digits.parse::<f64>() {
        Ok(value) => Ok(sign * value),
        Err(_) => Err(Fault::NotNumber(text)),
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, read_double};

    #[test]
    fn floats_are_read_as_the_reference_reads_them_p6() {
        for (text, expected) in [
            (" 1.5\t", 1.5),
            ("+1.", 1.0),
            ("-.5", -0.5),
            ("1e1", 10.0),
            ("1E+2f", 100.0),
            ("7d", 7.0),
            ("-Infinity", f64::NEG_INFINITY),
        ] {
            assert_eq!(read_double(text), Ok(expected), "{text:?}");
        }
        assert!(read_double("NaN").unwrap().is_nan());
        for text in ["", " ", ".", "abc", "nan", "inf", "1 2", "--1", "1e", "e1"] {
            assert_eq!(read_double(text), Err(Fault::NotNumber(text)), "{text:?}");
        }
    }
}
