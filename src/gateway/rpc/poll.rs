//! How long a call may wait for a first message.

use std::time::Duration;

use crate::gateway::context::Context;
use crate::gateway::gate::Gate;
use crate::proto::convert::time;

/// Kept back from a client's deadline: an answer after it would strand messages until their lease runs out.
const RESERVE: Duration = Duration::from_millis(500);
/// Kept back where a client gives a deadline but no polling time: half its request timeout.
const HALF_REQUEST: Duration = Duration::from_millis(1500);

/// What was asked for, within the client's deadline and the endpoint's limit.
pub(super) fn time_to_wait(
    gate: &Gate,
    context: &Context,
    asked: Option<&prost_types::Duration>,
) -> Duration {
    let remaining = context
        .deadline
        .map(|deadline| deadline.saturating_duration_since(gate.real_clock.now()));
    bounded(asked.map(time::duration), remaining).min(gate.limits.poll)
}

fn bounded(asked: Option<Duration>, remaining: Option<Duration>) -> Duration {
    match (asked, remaining) {
        (Some(asked), Some(remaining)) => asked.min(remaining.saturating_sub(RESERVE)),
        (Some(asked), None) => asked,
        (None, Some(remaining)) => remaining.saturating_sub(HALF_REQUEST),
        (None, None) => Duration::ZERO,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_poll_ends_before_the_clients_deadline() {
        let span = |seconds| Some(Duration::from_secs(seconds));
        assert_eq!(bounded(span(20), span(23)), Duration::from_secs(20));
        assert_eq!(bounded(span(40), span(40)), Duration::from_millis(39_500));
        assert_eq!(bounded(None, span(8)), Duration::from_millis(6500));
        assert_eq!(bounded(span(5), None), Duration::from_secs(5));
        assert_eq!(bounded(span(5), span(0)), Duration::ZERO);
        assert_eq!(bounded(None, None), Duration::ZERO);
    }
}
