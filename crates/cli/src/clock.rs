//! The wall clock and lengths of time as people write them.

use core::fmt;
use core::str::FromStr;
use std::time::{SystemTime, UNIX_EPOCH};

/// Seconds since the epoch, now; 0 on a machine whose clock stands before it.
pub(crate) fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// A length of time: `90s`, `5m`, `12h`, `30d`, and with a minus sign the past.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) seconds: i64,
}

impl Span {
    /// That long after `time`; stops at the ends of the clock instead of wrapping.
    pub(crate) const fn after(self, time: i64) -> i64 {
        time.saturating_add(self.seconds)
    }
}

impl FromStr for Span {
    type Err = BadSpan;

    fn from_str(text: &str) -> Result<Self, BadSpan> {
        let unit = text.chars().last().ok_or(BadSpan)?;
        let scale: i64 = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3_600,
            'd' => 86_400,
            _ => return Err(BadSpan),
        };
        let count = text.strip_suffix(unit).ok_or(BadSpan)?;
        let count: i64 = count.parse().map_err(|_| BadSpan)?;
        Ok(Self { seconds: count.checked_mul(scale).ok_or(BadSpan)? })
    }
}

/// Not a length of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BadSpan;

impl fmt::Display for BadSpan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number and one of s, m, h, d is needed, as in 5m or -10m")
    }
}

impl core::error::Error for BadSpan {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_have_a_number_and_a_unit() {
        assert_eq!("5m".parse(), Ok(Span { seconds: 300 }));
        assert_eq!("-10m".parse(), Ok(Span { seconds: -600 }));
        assert_eq!("2d".parse(), Ok(Span { seconds: 172_800 }));
        for refused in ["", "m", "5", "5 m", "5M", "1.5h", "9223372036854775807d", "5mm", "é"] {
            assert_eq!(refused.parse::<Span>(), Err(BadSpan), "{refused}");
        }
    }
}
