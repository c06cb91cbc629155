//! Numbers as people read them: groups of three, binary sizes, rates, spans.

use std::time::Duration;

pub use crate::report::{count, counted};

/// `142 B`, `1.2 GiB`.
pub fn bytes(number: u64) -> String {
    const UNITS: [&str; 5] = ["KiB", "MiB", "GiB", "TiB", "PiB"];
    if number < 1024 {
        return format!("{number} B");
    }
    let mut value = number as f64 / 1024.0;
    let mut unit = 0;
    while value >= 1023.95 && unit + 1 < UNITS.len() {
        value /= 1024.0;
        unit += 1;
    }
    let shown = if value < 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.0}")
    };
    format!("{shown} {}", UNITS.get(unit).unwrap_or(&"PiB"))
}

/// A rate: one digit after the point below a hundred.
pub fn rate(per_second: f64) -> String {
    if per_second < 99.95 {
        format!("{per_second:.1}")
    } else {
        count(per_second.round() as u64)
    }
}

/// Milliseconds: `0.4 ms`, `9 ms`, `1.2 s`.
pub fn millis(value: f64) -> String {
    if value < 9.95 {
        format!("{value:.1} ms")
    } else if value < 999.5 {
        format!("{value:.0} ms")
    } else {
        span(Duration::from_secs_f64((value / 1000.0).clamp(0.0, 1e9)))
    }
}

/// A span in its two largest units: `850 ms`, `1.2 s`, `41 s`, `8m 40s`, `8h 40m`, `3d 4h`.
pub fn span(duration: Duration) -> String {
    let seconds = duration.as_secs();
    let two = |large: u64, l: &str, small: u64, s: &str| {
        if small == 0 {
            format!("{large}{l}")
        } else {
            format!("{large}{l} {small}{s}")
        }
    };
    match seconds {
        0 => format!("{} ms", duration.as_millis()),
        1..=9 => {
            let tenths = duration.subsec_millis() / 100;
            if tenths == 0 {
                format!("{seconds} s")
            } else {
                format!("{seconds}.{tenths} s")
            }
        }
        10..=59 => format!("{seconds} s"),
        60..=3599 => two(seconds / 60, "m", seconds % 60, "s"),
        3600..=86_399 => two(seconds / 3600, "h", seconds % 3600 / 60, "m"),
        _ => two(seconds / 86_400, "d", seconds % 86_400 / 3600, "h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_grouped_and_sized() {
        assert_eq!(count(0), "0");
        assert_eq!(count(1_204_310), "1,204,310");
        assert_eq!(count(999), "999");
        assert_eq!(bytes(142), "142 B");
        assert_eq!(bytes(1_288_490_189), "1.2 GiB");
        assert_eq!(bytes(512 * 1024 * 1024), "512 MiB");
        assert_eq!(bytes(1024 * 1024 - 1), "1.0 MiB");
        assert_eq!(rate(42.04), "42.0");
        assert_eq!(rate(1234.4), "1,234");
        assert_eq!(millis(0.42), "0.4 ms");
        assert_eq!(millis(9.96), "10 ms");
    }

    #[test]
    fn spans_are_shown_in_two_units() {
        let cases = [
            (850, "850 ms"),
            (1200, "1.2 s"),
            (41_000, "41 s"),
            (520_000, "8m 40s"),
            (31_200_000, "8h 40m"),
            (259_200_000, "3d"),
        ];
        for (ms, shown) in cases {
            assert_eq!(span(Duration::from_millis(ms)), shown);
        }
    }
}
