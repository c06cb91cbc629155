//! The rows a segment opens with: its format, the checkpoint of everything before, and what the older segments hold.

use redb::{ReadTransaction, WriteTransaction};
use serde::{Deserialize, Serialize, de::DeserializeOwned};

use crate::domain::names::TopicName;
use crate::store::fault::Fault;
use crate::store::indexes::Digest;
use crate::store::journal::Position;
use crate::store::segment::META;

/// The version of everything under an instance's directory. A store with a higher one is refused.
pub(super) const FORMAT: u32 = 1;

const HEAD: &str = "head";
const CHECKPOINT: &str = "checkpoint";
const CATALOGUE: &str = "catalogue";

/// What a segment is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Head {
    pub format: u32,
    /// Its first commit.
    pub first: u64,
}

/// What was before a segment.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Catalogue {
    /// Older segments by their first commit.
    pub sealed: Vec<(u64, Digest)>,
    /// Where topics were deleted: sequence and offset of the record.
    deleted: Vec<(TopicName, u64, u32)>,
}

impl Catalogue {
    pub(super) fn new(sealed: Vec<(u64, Digest)>, deleted: Vec<(TopicName, Position)>) -> Self {
        let deleted = deleted.into_iter();
        Self {
            sealed,
            deleted: deleted
                .map(|(topic, at)| (topic, at.sequence, at.offset))
                .collect(),
        }
    }

    pub(super) fn deleted(&self) -> impl Iterator<Item = (&TopicName, Position)> {
        self.deleted.iter().map(|(topic, sequence, offset)| {
            let at = Position {
                sequence: *sequence,
                offset: *offset,
            };
            (topic, at)
        })
    }
}

/// Writes the head of a new segment.
pub(super) fn write_head(
    transaction: &WriteTransaction,
    first: u64,
    catalogue: &Catalogue,
) -> Result<(), Fault> {
    let head = Head {
        format: FORMAT,
        first,
    };
    put(transaction, HEAD, &head)?;
    put(transaction, CATALOGUE, catalogue)
}

/// Writes the observer's state as it is after commit `covers`.
pub(super) fn write_checkpoint(
    transaction: &WriteTransaction,
    covers: u64,
    state: &[u8],
) -> Result<(), Fault> {
    let row = [&covers.to_le_bytes(), state].concat();
    let mut meta = transaction.open_table(META)?;
    meta.insert(CHECKPOINT, row.as_slice())?;
    Ok(())
}

pub(super) fn read_head(transaction: &ReadTransaction) -> Result<Head, Fault> {
    get(transaction, HEAD)
}

pub(super) fn read_catalogue(transaction: &ReadTransaction) -> Result<Catalogue, Fault> {
    get(transaction, CATALOGUE)
}

/// The checkpoint and the commit it covers.
pub(super) fn read_checkpoint(
    transaction: &ReadTransaction,
) -> Result<Option<(u64, Vec<u8>)>, Fault> {
    let meta = transaction.open_table(META)?;
    let Some(row) = meta.get(CHECKPOINT)? else {
        return Ok(None);
    };
    let (covers, state) = row
        .value()
        .split_first_chunk::<8>()
        .ok_or_else(|| Fault::Broken("its checkpoint is cut off".to_owned()))?;
    Ok(Some((u64::from_le_bytes(*covers), state.to_vec())))
}

fn put(transaction: &WriteTransaction, name: &str, value: &impl Serialize) -> Result<(), Fault> {
    let row = postcard::to_allocvec(value).map_err(|error| Fault::Broken(error.to_string()))?;
    let mut meta = transaction.open_table(META)?;
    meta.insert(name, row.as_slice())?;
    Ok(())
}

fn get<T: DeserializeOwned>(transaction: &ReadTransaction, name: &str) -> Result<T, Fault> {
    let meta = transaction.open_table(META)?;
    let row = meta
        .get(name)?
        .ok_or_else(|| Fault::Broken(format!("its {name} is missing")))?;
    postcard::from_bytes(row.value())
        .map_err(|error| Fault::Broken(format!("its {name} cannot be read: {error}")))
}
