//! Ids of messages, requests, transactions and function instances, and their generators.
//!
//! Generators take the moment as an argument and hold their identity, so a test reproduces any id.

use std::fmt;
use std::net::{Ipv4Addr, SocketAddrV4};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use serde::{Deserialize, Serialize};

use crate::domain::timestamp::Timestamp;

/// The id of a message as clients give it: 34 upper-case hex digits for 5.x clients, 32 for 4.x (M4, M6); at most 128 characters.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct MessageId(Arc<str>);

impl MessageId {
    /// Longest id accepted from a client, in bytes.
    pub const MAX_LENGTH: usize = 128;

    /// `None` when blank, longer than [`Self::MAX_LENGTH`], or not printable ASCII.
    pub fn new(text: &str) -> Option<Self> {
        let text = text.trim();
        let good = !text.is_empty()
            && text.len() <= Self::MAX_LENGTH
            && text.bytes().all(|b| b.is_ascii_graphic());
        good.then(|| Self(text.into()))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Where a message lies if this is the offset id of a cluster's store: the store's address, and the place in its
    /// commit log. An id that a 4.x client made looks alike, so this is a guess for ids that nothing was sent under (M6).
    pub fn as_offset_id(&self) -> Option<(SocketAddrV4, u64)> {
        let hex = |from: usize, to: usize| u64::from_str_radix(self.0.get(from..to)?, 16).ok();
        let digits = self.0.len() == 32 && self.0.bytes().all(|b| b.is_ascii_hexdigit());
        let address = Ipv4Addr::from_bits(u32::try_from(hex(0, 8)?).ok()?);
        let port = u16::try_from(hex(8, 16)?).ok()?;
        digits.then_some((SocketAddrV4::new(address, port), hex(16, 32)?))
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Seconds from the Unix epoch to 2021-01-01T00:00:00Z, the zero of v1 message ids.
const ID_EPOCH_SECONDS: i64 = 1_609_459_200;

/// Makes v1 message ids: `01`, MAC, pid, seconds since 2021, sequence; big endian, upper-case hex (M4, M5).
#[derive(Debug)]
pub struct MessageIdGenerator {
    mac: [u8; 6],
    pid: u16,
    sequence: AtomicU32,
}

impl MessageIdGenerator {
    pub fn new(mac: [u8; 6], pid: u16, first: u32) -> Self {
        Self {
            mac,
            pid,
            sequence: AtomicU32::new(first),
        }
    }

    /// The next id; the sequence never resets and wraps after 2^32.
    pub fn next(&self, now: Timestamp) -> MessageId {
        use fmt::Write as _;
        let seconds = now.as_millis().div_euclid(1000) - ID_EPOCH_SECONDS;
        let sequence = self.sequence.fetch_add(1, Ordering::Relaxed);
        let mut text = String::with_capacity(34);
        text.push_str("01");
        for byte in self.mac {
            let _ = write!(text, "{byte:02X}");
        }
        // Ids count seconds modulo 2^32, as the field is four bytes wide.
        let seconds = u32::try_from(seconds.rem_euclid(1 << 32)).unwrap_or(0);
        let _ = write!(text, "{:04X}{seconds:08X}{sequence:08X}", self.pid);
        MessageId(text.into())
    }
}

/// The id of one function request: the message's id for a batch of one (TR-21), else `1-<hex epoch>-<8 hex>-<12 hex>` (LC-8).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestId(Arc<str>);

impl RequestId {
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// A fresh id of Function Compute's shape from the moment and 10 random bytes.
    pub fn fresh(now: Timestamp, random: [u8; 10]) -> Self {
        Self(format!("1-{}", hex_id(now, random)).into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&MessageId> for RequestId {
    fn from(id: &MessageId) -> Self {
        Self(id.0.clone())
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The id of one function instance, `c-<hex epoch>-<8 hex>-<12 hex>` (LC-8).
pub fn function_instance_id(now: Timestamp, random: [u8; 10]) -> String {
    format!("c-{}", hex_id(now, random))
}

fn hex_id(now: Timestamp, random: [u8; 10]) -> String {
    use fmt::Write as _;
    let mut text = format!("{:08x}-", now.as_millis().div_euclid(1000));
    for (at, byte) in random.iter().enumerate() {
        if at == 4 {
            text.push('-');
        }
        let _ = write!(text, "{byte:02x}");
    }
    text
}

/// The id under which a half message waits for its producer's word.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TransactionId(Arc<str>);

impl TransactionId {
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seed_message_id_is_reproduced_m4() {
        let ids = MessageIdGenerator::new([0x6A, 0xB7, 0x6B, 0x2B, 0x73, 0xF6], 1, 0);
        let id = ids.next(Timestamp::from_millis(1_781_272_484_388));
        assert_eq!(id.as_str(), "016AB76B2B73F600010A3DA9A400000000");
        let next = ids.next(Timestamp::from_millis(1_781_272_484_388));
        assert!(next.as_str().ends_with("00000001"));
    }

    #[test]
    fn the_sequence_goes_on_from_second_to_second_and_wraps_m5() {
        let ids = MessageIdGenerator::new([2, 0, 0, 0, 0, 1], 1, u32::MAX);
        let made = |seconds: i64| ids.next(Timestamp::from_millis(seconds * 1000));
        let tails = [1_781_272_484, 1_781_272_485, 1_781_272_485].map(|at| {
            let id = made(at);
            id.as_str()[26..].to_owned()
        });
        assert_eq!(tails, ["FFFFFFFF", "00000000", "00000001"]);
    }

    #[test]
    fn an_offset_id_tells_the_store_and_the_place_in_its_log_m6() {
        let id = MessageId::new("7F00000100002A9F0000000000001234").unwrap();
        let (store, place) = id.as_offset_id().unwrap();
        assert_eq!(
            (store.to_string(), place),
            ("127.0.0.1:10911".to_owned(), 0x1234)
        );
        for other in [
            "016AB76B2B73F600010A3DA9A400000000",
            "7F000001FFFF2A9F0000000000001234",
            "7F00000100002A9F000000000000123x",
        ] {
            assert_eq!(MessageId::new(other).unwrap().as_offset_id(), None);
        }
    }

    #[test]
    fn instance_ids_have_function_computes_shape_lc8() {
        let id = function_instance_id(
            Timestamp::from_millis(0x6a2c_0f9f_i64 * 1000),
            [0x04, 0x84, 0x00, 0xf6, 0x93, 0x00, 0x1d, 0x17, 0xda, 0x20],
        );
        assert_eq!(id, "c-6a2c0f9f-048400f6-93001d17da20");
    }

    #[test]
    fn message_ids_are_short_printable_ascii() {
        assert!(MessageId::new("").is_none());
        assert!(MessageId::new("a\u{1b}b").is_none());
        assert!(MessageId::new(&"x".repeat(129)).is_none());
    }
}
