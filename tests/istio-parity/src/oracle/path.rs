//! Istio's default normalisation of paths (BASE), as Envoy does it.

/// The path after backslashes are turned, dot segments resolved, unreserved escapes decoded, and
/// other characters escaped. Doubled slashes stay.
#[must_use]
pub fn normalize(path: &str) -> String {
    let path = path.replace('\\', "/");
    let Some(body) = path.strip_prefix('/') else { return spelled(&path) };
    let segments: Vec<&str> = body.split('/').collect();
    let mut resolved: Vec<String> = Vec::new();
    for (index, segment) in segments.iter().enumerate() {
        match dots(segment) {
            None => {
                resolved.push(spelled(segment));
                continue;
            }
            Some(1) => {}
            Some(_) => drop(resolved.pop()),
        }
        if index + 1 == segments.len() {
            resolved.push(String::new());
        }
    }
    format!("/{}", resolved.join("/"))
}

/// How many dots a dot segment has: escaped or not alone, but not escaped before parameters.
fn dots(segment: &str) -> Option<usize> {
    let lower = segment.to_ascii_lowercase().replace("%2e", ".");
    let alone = [".", ".."].into_iter().find(|dots| *dots == lower);
    let before = segment.split_once(';').map(|(before, _)| before);
    alone.or(before.filter(|before| [".", ".."].contains(before))).map(str::len)
}

fn spelled(segment: &str) -> String {
    let mut spelled = Vec::new();
    let mut rest = segment.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        rest = after;
        match (byte, escaped(after)) {
            (b'%', Some(character)) if is_unreserved(character) => {
                spelled.push(character);
                rest = &after[2..];
            }
            (b'"' | b'<' | b'>' | b'^' | b'`' | b'{' | b'|' | b'}' | 0..=b' ' | 0x7f.., _) => {
                spelled.extend(format!("%{byte:02X}").into_bytes());
            }
            _ => spelled.push(byte),
        }
    }
    String::from_utf8_lossy(&spelled).into_owned()
}

fn escaped(digits: &[u8]) -> Option<u8> {
    let digits = core::str::from_utf8(digits.get(..2)?).ok()?;
    u8::from_str_radix(digits, 16).ok().filter(|_| !digits.starts_with('+'))
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
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
            ("/a/..;x/b", "/b"),
            ("/a/.;x", "/a/"),
            ("/a/%2e%2e;/b", "/a/..;/b"),
            ("/a/..x/b", "/a/..x/b"),
        ] {
            assert_eq!(normalize(path), normal, "{path}");
        }
    }
}
