//! Moments and spans.

use std::time::Duration;

use crate::domain::timestamp::Timestamp;

/// Milliseconds of a wire moment; what lies outside the representable is clamped.
pub fn timestamp(moment: &prost_types::Timestamp) -> Timestamp {
    let millis = i64::from(moment.nanos).div_euclid(1_000_000);
    Timestamp::from_millis(moment.seconds.saturating_mul(1000).saturating_add(millis))
}

pub fn to_timestamp(moment: Timestamp) -> prost_types::Timestamp {
    let millis = moment.as_millis();
    prost_types::Timestamp {
        seconds: millis.div_euclid(1000),
        nanos: i32::try_from(millis.rem_euclid(1000) * 1_000_000).unwrap_or(0),
    }
}

/// A wire span; a negative one is zero.
pub fn duration(span: &prost_types::Duration) -> Duration {
    let seconds = u64::try_from(span.seconds).unwrap_or(0);
    let nanos = u32::try_from(span.nanos).unwrap_or(0).min(999_999_999);
    Duration::new(seconds, nanos)
}

pub fn to_duration(span: Duration) -> prost_types::Duration {
    prost_types::Duration {
        seconds: i64::try_from(span.as_secs()).unwrap_or(i64::MAX),
        nanos: i32::try_from(span.subsec_nanos()).unwrap_or(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments_keep_their_milliseconds_before_and_after_the_epoch() {
        for millis in [0, 1, 999, 1000, 1_781_272_484_388, -1, -1001] {
            let moment = Timestamp::from_millis(millis);
            assert_eq!(timestamp(&to_timestamp(moment)), moment);
        }
    }

    #[test]
    fn a_negative_span_is_zero() {
        let span = prost_types::Duration {
            seconds: -5,
            nanos: -1,
        };
        assert_eq!(duration(&span), Duration::ZERO);
        let long = Duration::from_millis(1500);
        assert_eq!(duration(&to_duration(long)), long);
    }
}
