//! Who a request comes from: access keys and the signature clients make with them.
//!
//! The signature covers the `x-mq-date-time` header only, and several clients write local time into it while calling it
//! UTC, so its age is never judged.

use std::collections::BTreeMap;
use std::sync::Arc;

use hmac::{Hmac, KeyInit as _, Mac as _};
use parking_lot::RwLock;
use sha1::Sha1;
use tonic::metadata::MetadataMap;

use crate::cluster::error::ClusterError;
use crate::cluster::session::{Grant, Principal};

const SCHEME: &str = "MQv2-HMAC-SHA1";
const SIGNED_HEADER: &str = "x-mq-date-time";

/// A key, its secret, and what it may do.
#[derive(Clone, PartialEq, Eq)]
pub struct AccessKey {
    pub id: String,
    pub secret: String,
    pub grants: Vec<Grant>,
}

impl std::fmt::Debug for AccessKey {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("AccessKey")
            .field("id", &self.id)
            .field("grants", &self.grants)
            .finish_non_exhaustive()
    }
}

/// The keys in force. Clones are handles to the same table, so keys can change while the endpoint is open.
#[derive(Debug, Clone, Default)]
pub struct AccessKeys(Arc<RwLock<BTreeMap<String, AccessKey>>>);

impl AccessKeys {
    pub fn new(keys: impl IntoIterator<Item = AccessKey>) -> Self {
        let table = Self::default();
        table.replace(keys);
        table
    }

    /// From now on these keys and no others.
    pub fn replace(&self, keys: impl IntoIterator<Item = AccessKey>) {
        *self.0.write() = keys.into_iter().map(|key| (key.id.clone(), key)).collect();
    }

    pub fn is_empty(&self) -> bool {
        self.0.read().is_empty()
    }

    /// Whose signature the request carries; `Ok(None)` when it carries none, or an empty credential as some clients do.
    pub(super) fn verify(&self, metadata: &MetadataMap) -> Result<Option<Principal>, ClusterError> {
        let Some(header) = text(metadata, "authorization") else {
            return Ok(None);
        };
        let claim = Claim::parse(header).ok_or_else(|| {
            ClusterError::Unauthenticated("the authorization header cannot be read".to_owned())
        })?;
        if claim.key.is_empty() {
            return Ok(None);
        }
        let keys = self.0.read();
        let proven = keys.get(claim.key).filter(|key| {
            text(metadata, SIGNED_HEADER).is_some_and(|signed| claim.is_by(&key.secret, signed))
        });
        match proven {
            Some(key) => Ok(Some(Principal::AccessKey {
                key: key.id.clone(),
                grants: key.grants.clone(),
            })),
            None => Err(ClusterError::Unauthenticated(
                "the access key or its signature is wrong".to_owned(),
            )),
        }
    }
}

fn text<'a>(metadata: &'a MetadataMap, name: &str) -> Option<&'a str> {
    metadata.get(name)?.to_str().ok()
}

/// `MQv2-HMAC-SHA1 Credential=<key>[/…], SignedHeaders=x-mq-date-time, Signature=<hex>`.
struct Claim<'a> {
    key: &'a str,
    signature: Vec<u8>,
}

impl<'a> Claim<'a> {
    fn parse(header: &'a str) -> Option<Self> {
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

    fn is_by(&self, secret: &str, signed: &str) -> bool {
        Hmac::<Sha1>::new_from_slice(secret.as_bytes()).is_ok_and(|mut mac| {
            mac.update(signed.as_bytes());
            mac.verify_slice(&self.signature).is_ok()
        })
    }
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
    /// HMAC-SHA1 of [`MOMENT`] under `secret`.
    const SIGNATURE: &str = "804D8F5BE5415CA7C015F3F87177B31145F913B5";

    fn keys() -> AccessKeys {
        AccessKeys::new([AccessKey {
            id: "ak".to_owned(),
            secret: "secret".to_owned(),
            grants: Vec::new(),
        }])
    }

    fn verify(authorization: Option<&str>) -> Result<Option<Principal>, ClusterError> {
        let mut metadata = MetadataMap::new();
        metadata.insert(SIGNED_HEADER, MOMENT.parse().unwrap());
        if let Some(header) = authorization {
            metadata.insert("authorization", header.parse().unwrap());
        }
        keys().verify(&metadata)
    }

    fn header(credential: &str, signature: &str) -> String {
        format!(
            "MQv2-HMAC-SHA1 Credential={credential}, SignedHeaders=x-mq-date-time, Signature={signature}"
        )
    }

    #[test]
    fn every_shape_of_credential_and_hex_is_accepted() {
        for credential in ["ak", "ak//Rocketmq", "ak/region/service"] {
            for signature in [SIGNATURE.to_owned(), SIGNATURE.to_lowercase()] {
                let principal = verify(Some(&header(credential, &signature))).unwrap();
                assert!(matches!(principal, Some(Principal::AccessKey { key, .. }) if key == "ak"));
            }
        }
    }

    #[test]
    fn no_header_and_an_empty_credential_are_no_claim() {
        assert_eq!(verify(None), Ok(None));
        assert_eq!(verify(Some(&header("", "00"))), Ok(None));
    }

    #[test]
    fn wrong_keys_signatures_and_shapes_are_refused() {
        for authorization in [
            header("other", SIGNATURE),
            header("ak", &SIGNATURE.replace('A', "B")),
            header("ak", "xyz"),
            header("ak", ""),
            "Basic abc".to_owned(),
            "MQv2-HMAC-SHA1".to_owned(),
            format!("MQv2-HMAC-SHA1 Credential=ak, SignedHeaders=host, Signature={SIGNATURE}"),
        ] {
            let outcome = verify(Some(&authorization));
            assert!(
                matches!(outcome, Err(ClusterError::Unauthenticated(_))),
                "{authorization:?}"
            );
        }
    }
}
