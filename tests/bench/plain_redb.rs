//! redb used plainly: a row per message, all waiting messages in one durable commit.

use std::io;
use std::path::Path;

use bytes::Bytes;
use moonport::cli::bench::baseline::{Producers, group_commit};
use moonport::cli::bench::measure::Measured;
use moonport::clock::RealClock;
use redb::{Database, TableDefinition};

const LOG: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("log");

pub(crate) async fn measure(directory: &Path, load: Producers, real: &RealClock) -> Measured {
    let database = Database::create(directory.join("plain.redb")).unwrap();
    let mut key = 0;
    let commit = move |group: &[Bytes]| {
        let write = || -> Result<(), redb::Error> {
            let transaction = database.begin_write()?;
            {
                let mut log = transaction.open_table(LOG)?;
                for body in group {
                    log.insert(key, body.as_ref())?;
                    key += 1;
                }
            }
            Ok(transaction.commit()?)
        };
        let mut write = write;
        write().map_err(io::Error::other)
    };
    group_commit("plain redb, a row each", load, real, commit)
        .await
        .unwrap()
}
