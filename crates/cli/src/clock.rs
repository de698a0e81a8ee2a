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

/// Seconds since the epoch of a moment written as `2026-11-22T12:00:00Z` (RFC 3339 §5.6, in UTC and
/// in whole seconds).
pub(crate) fn parse_moment(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let [year, month, day] = numbers(date, '-', [4, 2, 2])?;
    let [hour, minute, second] = numbers(time, ':', [2, 2, 2])?;
    let month = time::Month::try_from(u8::try_from(month).ok()?).ok()?;
    let small = |number: u16| u8::try_from(number).ok();
    let date = time::Date::from_calendar_date(year.into(), month, small(day)?).ok()?;
    let time = time::Time::from_hms(small(hour)?, small(minute)?, small(second)?).ok()?;
    u64::try_from(date.with_time(time).assume_utc().unix_timestamp()).ok()
}

/// Three numbers of exactly so many digits.
fn numbers(text: &str, between: char, digits: [usize; 3]) -> Option<[u16; 3]> {
    let mut parts = text.split(between);
    let mut next = |length: usize| {
        let part = parts.next().filter(|part| part.len() == length)?;
        part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?
    };
    let [first, second, third] = digits;
    let numbers = [next(first)?, next(second)?, next(third)?];
    parts.next().is_none().then_some(numbers)
}

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

    #[test]
    fn moments_are_read_in_utc() {
        assert_eq!(parse_moment("1970-01-01T00:00:00Z"), Some(0));
        assert_eq!(parse_moment("2026-11-22T07:00:09Z"), Some(1_795_330_809));
        for refused in [
            "",
            "2026-11-22",
            "2026-11-22T12:00:00",
            "2026-11-22T12:00:00+01:00",
            "2026-1-22T12:00:00Z",
            "2026-13-22T12:00:00Z",
            "2026-02-30T12:00:00Z",
            "2026-11-22T24:00:00Z",
            "1969-12-31T23:59:59Z",
            "2026-11-22T12:00:00.5Z",
            "2026-11-22T12:00Z",
            "2026-11-22-01T12:00:00Z",
            "+026-11-22T12:00:00Z",
        ] {
            assert_eq!(parse_moment(refused), None, "{refused}");
        }
    }
}
