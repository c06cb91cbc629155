//! `name=value` words on one line; a value with blanks stands in quotes.

/// Reads the words, in their order.
pub fn read(text: &str) -> Result<Vec<(String, String)>, String> {
    let mut found = Vec::new();
    let mut rest = text.trim();
    while !rest.is_empty() {
        let (name, tail) = rest
            .split_once('=')
            .ok_or_else(|| format!("`{rest}`: name=value is expected"))?;
        let name = name.trim();
        if name.is_empty() || name.contains(char::is_whitespace) {
            return Err(format!("`{name}`: name=value is expected"));
        }
        let (value, after) = match tail.strip_prefix('"') {
            Some(quoted) => {
                let end = quoted.find('"').ok_or("a quote is never closed")?;
                (&quoted[..end], &quoted[end + 1..])
            }
            None => tail.split_at(tail.find(char::is_whitespace).unwrap_or(tail.len())),
        };
        found.push((name.to_owned(), value.to_owned()));
        rest = after.trim_start();
    }
    Ok(found)
}

/// Writes what [`read`] reads.
pub fn write<K: AsRef<str>, V: AsRef<str>>(all: impl IntoIterator<Item = (K, V)>) -> String {
    let words: Vec<String> = all
        .into_iter()
        .map(|(name, value)| {
            let (name, value) = (name.as_ref(), value.as_ref());
            if value.is_empty() || value.contains(char::is_whitespace) {
                format!("{name}=\"{value}\"")
            } else {
                format!("{name}={value}")
            }
        })
        .collect();
    words.join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_keep_their_signs_and_blanks() {
        let found = read("a=b=c d=\"x y\" e=").unwrap();
        let expected = [("a", "b=c"), ("d", "x y"), ("e", "")];
        assert_eq!(
            found,
            expected.map(|(k, v)| (k.to_owned(), v.to_owned())).to_vec()
        );
        assert_eq!(read(&write(found.clone())), Ok(found));
        for text in ["novalue", "=x", "a=\"open"] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
