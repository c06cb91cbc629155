//! The queue in front of a writer thread: many callers put records in, one thread takes all of them for the next commit.

use std::time::Duration;

use parking_lot::{Condvar, Mutex};

use crate::store::error::StoreError;
use crate::store::journal::{Commit, CommitSender};

/// Work on its way to the writer. `T` is one caller's records as the writer wants them.
pub(super) struct Intake<T> {
    state: Mutex<State<T>>,
    arrived: Condvar,
}

struct State<T> {
    queued: Vec<Job<T>>,
    /// Sum of the weights queued.
    weight: usize,
    /// Something queued asks for a commit now.
    urgent: bool,
    closing: bool,
    /// Set from a failed commit until the observer resumes; appends are answered with it.
    refusing: Option<StoreError>,
}

/// One caller's records; `None` as answer for those that ride.
pub(super) struct Job<T> {
    pub work: T,
    /// Bytes it adds to the commit.
    pub weight: usize,
    pub answer: Option<CommitSender>,
}

/// Why the writer woke.
pub(super) enum Taken<T> {
    /// Jobs for one commit, in order.
    Jobs(Vec<Job<T>>),
    /// Nothing came for the given time.
    Quiet,
    /// Closing, and nothing is queued any more.
    Closed,
}

impl<T> Intake<T> {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::new(State {
                queued: Vec::new(),
                weight: 0,
                urgent: false,
                closing: false,
                refusing: None,
            }),
            arrived: Condvar::new(),
        }
    }

    /// Queues work that asks for a commit.
    pub(super) fn append(&self, work: T, weight: usize) -> Commit {
        let (answer, commit) = Commit::pair();
        self.push(Job {
            work,
            weight,
            answer: Some(answer),
        });
        commit
    }

    /// Queues work that waits for somebody else's commit, or for [`Intake::take`]'s patience to end.
    pub(super) fn ride(&self, work: T, weight: usize) {
        self.push(Job {
            work,
            weight,
            answer: None,
        });
    }

    fn push(&self, job: Job<T>) {
        let mut state = self.state.lock();
        let refusal = if state.closing {
            Some(StoreError::Closed)
        } else {
            state.refusing.clone()
        };
        if let Some(error) = refusal {
            drop(state);
            if let Some(answer) = job.answer {
                let _ = answer.send(Err(error));
            }
            return;
        }
        // A first rider wakes the writer too: it starts the wait after which riders go alone.
        let wakes = state.queued.is_empty() || (!state.urgent && job.answer.is_some());
        state.urgent |= job.answer.is_some();
        state.weight += job.weight;
        state.queued.push(job);
        drop(state);
        if wakes {
            self.arrived.notify_one();
        }
    }

    /// Waits for the next commit's jobs: at most `most` bytes, but at least one job. Riders alone wait `patience` for
    /// company; an empty queue is reported after `quiet`.
    pub(super) fn take(&self, most: usize, patience: Duration, quiet: Duration) -> Taken<T> {
        let mut state = self.state.lock();
        loop {
            if state.urgent || (state.closing && !state.queued.is_empty()) {
                return Taken::Jobs(state.take(most));
            }
            if state.closing {
                return Taken::Closed;
            }
            let riders = !state.queued.is_empty();
            let span = if riders { patience } else { quiet };
            let timed_out = self.arrived.wait_for(&mut state, span).timed_out();
            if timed_out && !state.urgent && !state.closing {
                return if state.queued.is_empty() {
                    Taken::Quiet
                } else {
                    Taken::Jobs(state.take(most))
                };
            }
        }
    }

    /// Refuses appends from now on and hands out everything queued, to be answered with the same error.
    pub(super) fn refuse(&self, error: &StoreError) -> Vec<Job<T>> {
        let mut state = self.state.lock();
        state.refusing = Some(error.clone());
        state.urgent = false;
        state.weight = 0;
        std::mem::take(&mut state.queued)
    }

    /// Takes appends again.
    pub(super) fn resume(&self) {
        self.state.lock().refusing = None;
    }

    /// Takes no more work; the writer gets what is queued and then [`Taken::Closed`].
    pub(super) fn close(&self) {
        self.state.lock().closing = true;
        self.arrived.notify_one();
    }
}

impl<T> State<T> {
    fn take(&mut self, most: usize) -> Vec<Job<T>> {
        if self.weight <= most {
            self.weight = 0;
            self.urgent = false;
            return std::mem::take(&mut self.queued);
        }
        let mut total = 0;
        let mut count = 0;
        for job in &self.queued {
            if count > 0 && total + job.weight > most {
                break;
            }
            total += job.weight;
            count += 1;
        }
        let rest = self.queued.split_off(count);
        self.weight -= total;
        self.urgent = rest.iter().any(|job| job.answer.is_some());
        std::mem::replace(&mut self.queued, rest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);

    fn jobs(taken: Taken<u32>) -> Vec<u32> {
        match taken {
            Taken::Jobs(jobs) => jobs.into_iter().map(|job| job.work).collect(),
            Taken::Quiet | Taken::Closed => Vec::new(),
        }
    }

    #[test]
    fn everything_queued_goes_in_one_commit_in_order() {
        let intake = Intake::new();
        intake.ride(1, 1);
        let _second = intake.append(2, 1);
        intake.ride(3, 1);
        assert_eq!(jobs(intake.take(100, LONG, LONG)), [1, 2, 3]);
    }

    #[test]
    fn a_commit_is_capped_but_takes_at_least_one_job() {
        let intake = Intake::new();
        for number in 0..3 {
            drop(intake.append(number, 10));
        }
        assert_eq!(jobs(intake.take(5, LONG, LONG)), [0]);
        assert_eq!(jobs(intake.take(20, LONG, LONG)), [1, 2]);
    }

    #[test]
    fn riders_go_alone_when_patience_ends() {
        let intake = Intake::new();
        intake.ride(7, 1);
        assert_eq!(jobs(intake.take(100, Duration::ZERO, LONG)), [7]);
        assert!(matches!(
            intake.take(100, LONG, Duration::ZERO),
            Taken::Quiet
        ));
    }

    #[test]
    fn a_refusing_intake_answers_at_once_until_resumed() {
        let intake = Intake::new();
        drop(intake.append(1, 1));
        assert_eq!(intake.refuse(&StoreError::Closed).len(), 1);
        assert!(intake.append(2, 1).wait().is_err());
        intake.resume();
        drop(intake.append(3, 1));
        assert_eq!(jobs(intake.take(100, LONG, LONG)), [3]);
    }

    #[test]
    fn a_closing_intake_hands_out_what_is_queued_first() {
        let intake = Intake::new();
        intake.ride(1, 1);
        intake.close();
        assert!(intake.append(2, 1).wait().is_err());
        assert_eq!(jobs(intake.take(100, LONG, LONG)), [1]);
        assert!(matches!(intake.take(100, LONG, LONG), Taken::Closed));
    }
}
