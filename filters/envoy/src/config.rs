//! The plugin's configuration: a bundle, as the text that `lychgate compile` writes.

use core::fmt;

use lychgate_core::LoadError;
use lychgate_core::engine::Engine;
use lychgate_crypto::Portable;
use proxy_wasm::hostcalls;
use proxy_wasm::types::BufferType;

use crate::jwks::{self, UriError};

/// Reads and loads the bundle that Envoy holds for this plugin.
///
/// # Errors
/// [`ConfigError`]: the plugin must not start with it, and a running one keeps what it has.
pub(crate) fn load() -> Result<Engine, ConfigError> {
    let text = hostcalls::get_buffer(BufferType::PluginConfiguration, 0, usize::MAX);
    let text = text.ok().flatten().unwrap_or_default();
    check_form(&text)?;
    // Looking through the rules once more in every worker would cost 30 KB of code.
    let engine = Engine::load_unlinted(&text, &Portable).map_err(ConfigError::Bundle)?;
    jwks::check(engine.key_sources()).map_err(ConfigError::KeySource)?;
    Ok(engine)
}

/// Why a configuration was refused.
#[derive(Debug)]
pub(crate) enum ConfigError {
    /// There is none.
    Absent,
    /// A `google.protobuf.Struct`, which Envoy hands over in its binary form.
    Struct,
    /// The bundle is refused.
    Bundle(LoadError),
    /// The bundle names a key set that can't be fetched from here.
    KeySource(UriError),
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Absent => f.write_str("no configuration: the plugin needs a bundle"),
            Self::Struct => f.write_str(
                "the configuration is a google.protobuf.Struct: give the bundle's text as a \
                 google.protobuf.StringValue or BytesValue",
            ),
            Self::Bundle(error) => error.fmt(f),
            Self::KeySource(error) => error.fmt(f),
        }
    }
}

/// Refuses what can't be the text of a bundle.
fn check_form(text: &[u8]) -> Result<(), ConfigError> {
    match text {
        [] => Err(ConfigError::Absent),
        // Field 1 of a Struct is its map of members, length-delimited; no JSON begins so, unless
        // with a line feed, and then no member name's tag follows.
        [0x0a, _, 0x0a, ..] | [0x0a, _, _, 0x0a, ..] | [0x0a, _, _, _, 0x0a, ..]
            if !is_json_start(text) =>
        {
            Err(ConfigError::Struct)
        }
        _ => Ok(()),
    }
}

/// Whether the first byte that is no white space opens an object.
fn is_json_start(text: &[u8]) -> bool {
    text.trim_ascii_start().first() == Some(&b'{')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_struct_is_told_from_text() {
        // {"kind": "Bundle"} as a google.protobuf.Struct.
        let message = b"\x0a\x10\x0a\x04kind\x12\x08\x1a\x06Bundle";
        assert!(matches!(check_form(message), Err(ConfigError::Struct)));
        let long = b"\x0a\x90\x01\x0a\x04kind\x12\x08\x1a\x06Bundle";
        assert!(matches!(check_form(long), Err(ConfigError::Struct)));
    }

    #[test]
    fn text_is_left_to_the_parser() {
        for text in ["{}", "\n{}", "\n\n\n{\"kind\":\"Bundle\"}", "\n \n{}", "null", "\u{feff}{}"] {
            assert!(check_form(text.as_bytes()).is_ok(), "{text:?}");
        }
    }

    #[test]
    fn nothing_is_refused() {
        assert!(matches!(check_form(b""), Err(ConfigError::Absent)));
    }
}
