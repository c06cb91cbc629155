//! Moments as people read them; one setting decides between UTC, local time and age.

use crate::domain::timestamp::Timestamp;
use crate::ui::widget::numbers;

/// How moments are shown everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeStyle {
    #[default]
    Utc,
    Local,
    Ago,
}

impl TimeStyle {
    pub const fn next(self) -> Self {
        match self {
            Self::Utc => Self::Local,
            Self::Local => Self::Ago,
            Self::Ago => Self::Utc,
        }
    }

    pub const fn name(self) -> &'static str {
        match self {
            Self::Utc => "UTC",
            Self::Local => "local time",
            Self::Ago => "age",
        }
    }
}

/// Everything needed to show a moment, so that drawing asks no clock.
#[derive(Debug, Clone)]
pub struct Times {
    pub style: TimeStyle,
    pub zone: jiff::tz::TimeZone,
    /// Broker time.
    pub now: Timestamp,
}

impl Times {
    fn zoned(&self, at: Timestamp) -> Option<jiff::Zoned> {
        let zone = match self.style {
            TimeStyle::Utc => jiff::tz::TimeZone::UTC,
            TimeStyle::Local | TimeStyle::Ago => self.zone.clone(),
        };
        let moment = jiff::Timestamp::from_millisecond(at.as_millis()).ok()?;
        Some(moment.to_zoned(zone))
    }

    fn format(&self, at: Timestamp, pattern: &str) -> String {
        self.zoned(at).map_or_else(
            || at.to_string(),
            |zoned| zoned.strftime(pattern).to_string(),
        )
    }

    /// `18:42:05.704`, with the day before it when that is not today; or `2 s ago`. Twelve cells or a little more.
    pub fn moment(&self, at: Timestamp) -> String {
        if self.style == TimeStyle::Ago {
            return self.ago(at);
        }
        if self.same_day(at) {
            self.format(at, "%H:%M:%S%.3f")
        } else {
            self.format(at, "%m-%d %H:%M")
        }
    }

    /// `18:42:05.704` always.
    pub fn clock_millis(&self, at: Timestamp) -> String {
        self.format(at, "%H:%M:%S%.3f")
    }

    /// `18:42:07 UTC`, for the status line.
    pub fn clock(&self, at: Timestamp) -> String {
        match self.style {
            TimeStyle::Utc => format!("{} UTC", self.format(at, "%H:%M:%S")),
            TimeStyle::Local | TimeStyle::Ago => self.format(at, "%H:%M:%S %Z"),
        }
    }

    /// `18:42`, for axes.
    pub fn minute(&self, at: Timestamp) -> String {
        self.format(at, "%H:%M")
    }

    /// Day and time to the millisecond, with the zone.
    pub fn full(&self, at: Timestamp) -> String {
        match self.style {
            TimeStyle::Utc => self.format(at, "%Y-%m-%d %H:%M:%S%.3f UTC"),
            TimeStyle::Local => self.format(at, "%Y-%m-%d %H:%M:%S%.3f %Z"),
            TimeStyle::Ago => format!(
                "{} · {}",
                self.format(at, "%Y-%m-%d %H:%M:%S%.3f %Z"),
                self.ago(at)
            ),
        }
    }

    /// `2 s ago`, `in 10 s`, `now`.
    pub fn ago(&self, at: Timestamp) -> String {
        let (past, future) = (self.now.since(at), at.since(self.now));
        if future.as_millis() >= 1000 {
            format!("in {}", numbers::span(future))
        } else if past.as_millis() < 1000 {
            "now".to_owned()
        } else {
            format!("{} ago", numbers::span(whole(past)))
        }
    }

    /// `in 10 s`, or `now` once it is due.
    pub fn until(&self, at: Timestamp) -> String {
        let left = at.since(self.now);
        if left.is_zero() {
            "now".to_owned()
        } else {
            format!("in {}", numbers::span(whole_up(left)))
        }
    }

    fn same_day(&self, at: Timestamp) -> bool {
        let day = |moment| self.zoned(moment).map(|zoned| zoned.date());
        day(at) == day(self.now)
    }

    /// `20260612T184207Z`, for file names.
    pub fn stamp(&self) -> String {
        jiff::Timestamp::from_millisecond(self.now.as_millis())
            .map(|moment| moment.strftime("%Y%m%dT%H%M%SZ").to_string())
            .unwrap_or_default()
    }
}

fn whole(span: std::time::Duration) -> std::time::Duration {
    std::time::Duration::from_secs(span.as_secs())
}

fn whole_up(span: std::time::Duration) -> std::time::Duration {
    std::time::Duration::from_secs(span.as_millis().div_ceil(1000) as u64)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_shown_in_each_style() {
        let now = Timestamp::parse("2026-06-12T18:42:07Z").unwrap();
        let mut times = Times {
            style: TimeStyle::Utc,
            zone: jiff::tz::TimeZone::fixed(jiff::tz::offset(8)),
            now,
        };
        let at = Timestamp::parse("2026-06-12T18:42:05.704Z").unwrap();
        assert_eq!(times.moment(at), "18:42:05.704");
        assert_eq!(times.clock(now), "18:42:07 UTC");
        assert_eq!(times.full(at), "2026-06-12 18:42:05.704 UTC");
        times.style = TimeStyle::Local;
        assert_eq!(times.moment(at), "02:42:05.704");
        times.style = TimeStyle::Ago;
        assert_eq!(times.moment(at), "1 s ago");
        let due = Timestamp::parse("2026-06-12T18:42:16.5Z").unwrap();
        assert_eq!(times.until(due), "in 10 s");
        assert_eq!(times.until(at), "now");
        assert_eq!(times.stamp(), "20260612T184207Z");
    }
}
