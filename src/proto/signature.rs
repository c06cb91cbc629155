//! The signature of a request: HMAC-SHA1 of its `x-mq-date-time` header under the secret of an access key.

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha1::Sha1;

const SCHEME: &str = "MQv2-HMAC-SHA1";
/// The one header that is signed.
pub const SIGNED_HEADER: &str = "x-mq-date-time";

/// Who an `authorization` header says a request is from.
///
/// `MQv2-HMAC-SHA1 Credential=<key>[/…], SignedHeaders=x-mq-date-time, Signature=<hex>`
pub struct Claim<'a> {
    /// Empty where a client has no credentials and sends the header all the same.
    pub key: &'a str,
    signature: Vec<u8>,
}

impl<'a> Claim<'a> {
    pub fn parse(header: &'a str) -> Option<Self> {
        let (scheme, rest) = header.trim().split_once(' ')?;
        let (mut key, mut signed, mut signature) = (None, None, None);
        for part in rest.split(',') {
            match part.trim().split_once('=')? {
                ("Credential", value) => key = value.split('/').next(),
                ("SignedHeaders", value) => signed = Some(value),
                ("Signature", value) => signature = unhex(value),
                _ => {}
            }
        }
        let right = scheme == SCHEME && signed == Some(SIGNED_HEADER);
        right.then_some(Self {
            key: key?,
            signature: signature?,
        })
    }

    /// Whether the holder of `secret` signed `moment`, compared in constant time.
    pub fn is_by(&self, secret: &str, moment: &str) -> bool {
        Hmac::<Sha1>::new_from_slice(secret.as_bytes()).is_ok_and(|mut mac| {
            mac.update(moment.as_bytes());
            mac.verify_slice(&self.signature).is_ok()
        })
    }
}

/// The `authorization` header for `moment`.
pub fn header(key: &str, secret: &str, moment: &str) -> String {
    use std::fmt::Write as _;
    let mut signature = String::with_capacity(40);
    if let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(secret.as_bytes()) {
        mac.update(moment.as_bytes());
        for byte in mac.finalize().into_bytes() {
            let _ = write!(signature, "{byte:02X}");
        }
    }
    format!("{SCHEME} Credential={key}, SignedHeaders={SIGNED_HEADER}, Signature={signature}")
}

fn unhex(text: &str) -> Option<Vec<u8>> {
    if !text.len().is_multiple_of(2) || !text.is_ascii() {
        return None;
    }
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(text.get(at..at + 2)?, 16).ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const MOMENT: &str = "20260612T135444Z";

    #[test]
    fn a_header_is_made_as_clients_make_it_and_proves_its_maker() {
        let header = header("ak", "secret", MOMENT);
        assert_eq!(
            header,
            "MQv2-HMAC-SHA1 Credential=ak, SignedHeaders=x-mq-date-time, \
             Signature=804D8F5BE5415CA7C015F3F87177B31145F913B5"
        );
        let lower = header.replace("804D8F5BE5415CA7C015F3F87177B31145F913B5", {
            "804d8f5be5415ca7c015f3f87177b31145f913b5"
        });
        for header in [header, lower] {
            let claim = Claim::parse(&header).unwrap();
            assert!(claim.is_by("secret", MOMENT));
            assert!(!claim.is_by("other", MOMENT));
            assert!(!claim.is_by("secret", "20260612T135445Z"));
        }
    }

    #[test]
    fn the_key_is_what_stands_before_the_first_slash() {
        for credential in ["ak", "ak//Rocketmq", "ak/region/service"] {
            let header = header(credential, "secret", MOMENT);
            assert_eq!(Claim::parse(&header).unwrap().key, "ak");
        }
    }

    #[test]
    fn other_shapes_are_no_claim() {
        for header in [
            "",
            "Basic abc",
            "MQv2-HMAC-SHA1",
            "MQv2-HMAC-SHA1 Credential=ak, SignedHeaders=host, Signature=00",
            "MQv2-HMAC-SHA1 Credential=ak, SignedHeaders=x-mq-date-time, Signature=0",
            "MQv2-HMAC-SHA1 Credential=ak, SignedHeaders=x-mq-date-time, Signature=zz",
            "MQv2-HMAC-SHA1 Credential=ak, SignedHeaders=x-mq-date-time",
        ] {
            assert!(Claim::parse(header).is_none(), "{header}");
        }
    }
}
