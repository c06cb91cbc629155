//! Where a filter finds the properties of the message at hand.

use std::collections::BTreeMap;

/// The properties of one message, by exact name. All values are text (P4).
pub trait Properties {
    fn get(&self, name: &str) -> Option<&str>;
}

impl Properties for BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<&str> {
        BTreeMap::get(self, name).map(String::as_str)
    }
}
