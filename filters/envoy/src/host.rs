//! The host calls that this filter makes, with what Envoy may answer turned into values.
//!
//! Only calls that hand over bytes: the SDK's text calls panic on a byte that is not UTF-8, and one
//! such byte in any header would end the VM. An error of the host is "absent", never a panic.

use core::time::Duration;
use std::time::{SystemTime, UNIX_EPOCH};

use proxy_wasm::hostcalls;
use proxy_wasm::types::{Bytes, LogLevel};

/// Milliseconds since the epoch, by Envoy's clock.
pub(crate) fn now_milliseconds() -> u64 {
    let now = hostcalls::get_current_time().unwrap_or(SystemTime::UNIX_EPOCH);
    let since = now.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// An attribute of the request or its connection; absent if Envoy can't say.
pub(crate) fn attribute(path: &[&str]) -> Option<Bytes> {
    hostcalls::get_property(path.to_vec()).ok().flatten().filter(|value| !value.is_empty())
}

/// An attribute that is a number.
pub(crate) fn number(path: &[&str]) -> Option<i64> {
    attribute(path)?.try_into().ok().map(i64::from_le_bytes)
}

/// Writes a line to Envoy's log.
pub(crate) fn log(level: LogLevel, message: &str) {
    let _ = hostcalls::log(level, message);
}

/// Asks Envoy to call this VM back after that time, and again and again.
pub(crate) fn tick_every(period: Duration) {
    let _ = hostcalls::set_tick_period(period);
}

/// Whether lines of this level reach Envoy's log at all.
pub(crate) fn logs(level: LogLevel) -> bool {
    hostcalls::get_log_level().is_ok_and(|least| rank(least) <= rank(level))
}

const fn rank(level: LogLevel) -> u8 {
    match level {
        LogLevel::Trace => 0,
        LogLevel::Debug => 1,
        LogLevel::Info => 2,
        LogLevel::Warn => 3,
        LogLevel::Error => 4,
        LogLevel::Critical => 5,
    }
}
