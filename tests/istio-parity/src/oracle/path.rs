//! Istio's default normalisation of paths (BASE), as Envoy does it.

/// The path after unreserved escapes are decoded, backslashes turned, other characters escaped, and
/// dot segments resolved. Doubled slashes stay.
#[must_use]
pub fn normalize(path: &str) -> String {
    let mut decoded = Vec::new();
    let mut rest = path.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, escaped(after)) {
            (b'%', Some(character)) if is_unreserved(character) => {
                decoded.push(character);
                rest = &after[2..];
            }
            (b'\\', _) => decoded.push(b'/'),
            (b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}' | 0..=b' ' | 0x7f.., _) => {
                decoded.extend(format!("%{byte:02X}").into_bytes());
            }
            _ => decoded.push(byte),
        }
    }
    resolve(&String::from_utf8_lossy(&decoded))
}

fn escaped(digits: &[u8]) -> Option<u8> {
    let digits = core::str::from_utf8(digits.get(..2)?).ok()?;
    u8::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

fn resolve(path: &str) -> String {
    let Some(body) = path.strip_prefix('/') else { return path.to_owned() };
    let segments: Vec<&str> = body.split('/').collect();
    let mut resolved: Vec<&str> = Vec::new();
    for (index, segment) in segments.iter().enumerate() {
        let is_last = index + 1 == segments.len();
        match *segment {
            "." => {}
            ".." => drop(resolved.pop()),
            other => {
                resolved.push(other);
                continue;
            }
        }
        if is_last {
            resolved.push("");
        }
    }
    format!("/{}", resolved.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_become_what_istio_makes_of_them() {
        for (path, normal) in [
            ("/", "/"),
            ("/x/../admin", "/admin"),
            ("/x/..", "/"),
            ("/../..", "/"),
            ("/a/.", "/a/"),
            ("/%61dmin", "/admin"),
            ("/a/%2e%2e/b", "/b"),
            ("/a%2fb", "/a%2fb"),
            ("//a", "//a"),
            ("/a\\b", "/a/b"),
            ("/a|b", "/a%7Cb"),
            ("/%zz", "/%zz"),
        ] {
            assert_eq!(normalize(path), normal, "{path}");
        }
    }
}
