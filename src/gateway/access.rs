//! Who a request comes from: access keys, and what they may do.
//!
//! Several clients write local time into the header they sign while calling it UTC, so its age is never judged.

use std::collections::BTreeMap;
use std::sync::Arc;

use parking_lot::RwLock;
use tonic::metadata::MetadataMap;

use crate::cluster::error::ClusterError;
use crate::cluster::session::{Grant, Principal};
use crate::proto::signature::{Claim, SIGNED_HEADER};

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
        let unreadable =
            || ClusterError::Unauthenticated("the authorization header cannot be read".to_owned());
        let claim = Claim::parse(header).ok_or_else(unreadable)?;
        if claim.key.is_empty() {
            return Ok(None);
        }
        let keys = self.0.read();
        let proven = keys.get(claim.key).filter(|key| {
            text(metadata, SIGNED_HEADER).is_some_and(|signed| claim.is_by(&key.secret, signed))
        });
        let key = proven.ok_or_else(|| {
            ClusterError::Unauthenticated("the access key or its signature is wrong".to_owned())
        })?;
        Ok(Some(Principal::AccessKey {
            key: key.id.clone(),
            grants: key.grants.clone(),
        }))
    }
}

fn text<'a>(metadata: &'a MetadataMap, name: &str) -> Option<&'a str> {
    metadata.get(name)?.to_str().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proto::signature;

    const MOMENT: &str = "20260612T135444Z";

    fn verify(authorization: Option<&str>) -> Result<Option<Principal>, ClusterError> {
        let keys = AccessKeys::new([AccessKey {
            id: "ak".to_owned(),
            secret: "secret".to_owned(),
            grants: Vec::new(),
        }]);
        let mut metadata = MetadataMap::new();
        metadata.insert(SIGNED_HEADER, MOMENT.parse().unwrap());
        if let Some(header) = authorization {
            metadata.insert("authorization", header.parse().unwrap());
        }
        keys.verify(&metadata)
    }

    #[test]
    fn a_signed_request_is_its_keys() {
        let principal = verify(Some(&signature::header("ak", "secret", MOMENT))).unwrap();
        assert!(matches!(principal, Some(Principal::AccessKey { key, .. }) if key == "ak"));
    }

    #[test]
    fn no_header_and_an_empty_credential_are_no_claim() {
        assert_eq!(verify(None), Ok(None));
        assert_eq!(verify(Some(&signature::header("", "", MOMENT))), Ok(None));
    }

    #[test]
    fn wrong_keys_secrets_moments_and_shapes_are_refused() {
        for authorization in [
            signature::header("other", "secret", MOMENT),
            signature::header("ak", "other", MOMENT),
            signature::header("ak", "secret", "20260612T135445Z"),
            "Basic abc".to_owned(),
        ] {
            let outcome = verify(Some(&authorization));
            assert!(
                matches!(outcome, Err(ClusterError::Unauthenticated(_))),
                "{authorization}"
            );
        }
    }

    #[test]
    fn a_key_taken_away_is_refused_at_once() {
        let keys = AccessKeys::default();
        let handle = keys.clone();
        keys.replace([AccessKey {
            id: "ak".to_owned(),
            secret: "secret".to_owned(),
            grants: Vec::new(),
        }]);
        assert!(!handle.is_empty());
        keys.replace([]);
        assert!(handle.is_empty());
    }
}
