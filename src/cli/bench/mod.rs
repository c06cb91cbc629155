//! `moonport bench`: load on a broker, and how long it took.

pub mod baseline;
pub mod load;
pub mod measure;

use std::path::PathBuf;
use std::sync::Arc;

use clap::{Args, ValueEnum};

use crate::cli::bench::load::{Load, Shape};
use crate::cli::bench::measure::Measured;
use crate::cli::output::Output;
use crate::clock::RealClock;
use crate::cluster::Messaging;
use crate::domain::message::MAX_BODY;
use crate::domain::names::TopicName;
use crate::report::{Exit, Report};

/// Put load on a broker and report rates and latencies.
///
/// Without `--endpoint` the load goes to a throwaway broker in this process, on the disk of the data directory.
#[derive(Debug, Args)]
pub struct Bench {
    /// What to measure
    #[arg(value_enum, default_value_t = What::All)]
    pub what: What,
    /// Messages in all
    #[arg(long, value_name = "COUNT", default_value_t = 100_000)]
    pub messages: u64,
    /// Bytes of each body
    #[arg(long, value_name = "BYTES", default_value_t = 1024)]
    pub size: usize,
    /// Producers, each with one message in flight
    #[arg(long, value_name = "COUNT", default_value_t = 64)]
    pub producers: usize,
    /// Consumers, each receiving and acking batches of 32
    #[arg(long, value_name = "COUNT", default_value_t = 16)]
    pub consumers: usize,
    /// Topic that takes the load; made when missing
    #[arg(long, value_name = "TOPIC", default_value = "moonport-bench")]
    pub topic: TopicName,
    /// Measure this RocketMQ 5 endpoint instead
    #[arg(long, value_name = "ADDRESS")]
    pub endpoint: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum What {
    /// Publish, then consume what was published
    All,
    Publish,
    Consume,
    /// From the send to the ack, one message at a time per producer
    EndToEnd,
}

impl Bench {
    /// Puts the load on `messaging`. `disk` is where the same bytes are written plainly, for comparison; absent for a broker
    /// elsewhere.
    pub async fn run(
        self,
        messaging: Arc<dyn Messaging>,
        real: RealClock,
        disk: Option<PathBuf>,
        out: &Output,
    ) -> Result<(), Report> {
        self.check()?;
        let load = Load::new(
            messaging,
            real.clone(),
            Shape {
                topic: self.topic.clone(),
                messages: self.messages,
                size: self.size,
                producers: self.producers,
                consumers: self.consumers,
            },
        );
        let mut rows = Vec::new();
        if let Some(disk) = disk {
            let plain = baseline::plain_files(&disk, &real, self.size, self.producers);
            rows.extend(plain.await?);
        }
        match self.what {
            What::All => {
                rows.push(load.publish().await.map_err(refused)?);
                rows.push(load.consume().await.map_err(refused)?);
            }
            What::Publish => rows.push(load.publish().await.map_err(refused)?),
            What::Consume => {
                load.publish().await.map_err(refused)?;
                rows.push(load.consume().await.map_err(refused)?);
            }
            What::EndToEnd => rows.push(load.end_to_end().await.map_err(refused)?),
        }
        compare(&mut rows);
        out.list(&rows)
    }

    fn check(&self) -> Result<(), Report> {
        let problem = if !(1..=MAX_BODY).contains(&self.size) {
            format!("`--size` is {}, allowed are 1-{MAX_BODY}", self.size)
        } else if self.messages == 0 || self.producers == 0 || self.consumers == 0 {
            "`--messages`, `--producers` and `--consumers` are at least 1".to_owned()
        } else {
            return Ok(());
        };
        Err(Report::plain(problem, None, Exit::Usage))
    }
}

/// States each rate as a share of the plain write-ahead file's, where one was measured.
fn compare(rows: &mut [Measured]) {
    let plain = rows
        .iter()
        .find(|row| row.is_reference)
        .map(|row| row.per_second);
    if let Some(plain) = plain {
        for row in rows {
            row.of_reference = Some(row.per_second / plain);
        }
    }
}

fn refused(error: crate::cluster::error::ClusterError) -> Report {
    Report::new(&error, Exit::Failed).context("the load was refused")
}
