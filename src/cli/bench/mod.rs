//! `moonport bench`: load on a broker, and how long it took.

pub mod baseline;
pub mod load;
pub mod measure;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use clap::{Args, ValueEnum};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;

use crate::cli::bench::load::{Load, Shape};
use crate::cli::bench::measure::Measured;
use crate::cli::output::{Output, is_watched, remark};
use crate::cli::value::grouped;
use crate::clock::RealClock;
use crate::cluster::{Messaging, Reply};
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
        let told = async |name, run: BoxFuture<'_, Reply<Measured>>| {
            let done = || {
                format!(
                    "{name}: {} of {}",
                    grouped(load.done()),
                    grouped(self.messages)
                )
            };
            with_progress(run, &real, done).await.map_err(refused)
        };
        if self.what != What::EndToEnd {
            rows.push(told("publish", load.publish().boxed()).await?);
        }
        match self.what {
            What::Publish => {}
            What::All => rows.push(told("consume", load.consume().boxed()).await?),
            What::Consume => {
                rows.pop();
                rows.push(told("consume", load.consume().boxed()).await?);
            }
            What::EndToEnd => rows.push(told("end to end", load.end_to_end().boxed()).await?),
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

/// Awaits a run; a person who watches is told each second how far it is.
async fn with_progress<T>(
    mut run: BoxFuture<'_, T>,
    real: &RealClock,
    done: impl Fn() -> String,
) -> T {
    if !is_watched() {
        return run.await;
    }
    loop {
        tokio::select! {
            result = &mut run => return result,
            () = real.sleep(Duration::from_secs(1)) => remark(&done()),
        }
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
