//! The forms of a request target.

/// A request target, split into its parts but not decoded ([RFC 9112 §3.2](https://www.rfc-editor.org/rfc/rfc9112#section-3.2)).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Target<'a> {
    /// The authority of an absolute form.
    pub(super) authority: Option<&'a [u8]>,
    /// The path; absent in the asterisk form and where there is no target at all.
    pub(super) path: Option<&'a [u8]>,
    /// What follows the first question mark.
    pub(super) query: Option<&'a [u8]>,
}

impl<'a> Target<'a> {
    /// Splits a target; none if it has a form that names no resource over HTTP: a relative path,
    /// the authority form, a scheme other than `http` and `https`.
    pub(super) fn split(target: &'a [u8]) -> Option<Self> {
        if matches!(target, b"" | b"*") {
            return Some(Self { authority: None, path: None, query: None });
        }
        let (before, query) = split_query(target);
        if before.starts_with(b"/") {
            return Some(Self { authority: None, path: Some(before), query });
        }
        let rest = without_scheme(before)?;
        let slash = rest.iter().position(|&byte| byte == b'/').unwrap_or(rest.len());
        let (authority, path) = rest.split_at_checked(slash)?;
        // RFC 9110 §4.2.3: an empty path is the same as "/".
        let path = if path.is_empty() { b"/" } else { path };
        Some(Self { authority: Some(authority), path: Some(path), query })
    }

    /// The authority of an absolute form.
    pub(super) fn authority_of(target: &'a [u8]) -> Option<&'a [u8]> {
        if target.starts_with(b"/") { None } else { Self::split(target)?.authority }
    }
}

/// What stands before the first question mark and what stands after it.
pub(super) fn split_query(target: &[u8]) -> (&[u8], Option<&[u8]>) {
    let mark = target.iter().position(|&byte| byte == b'?');
    match mark.and_then(|mark| target.split_at_checked(mark)) {
        Some((before, rest)) => (before, rest.get(1..)),
        None => (target, None),
    }
}

/// What follows `http://` or `https://`, in any case.
fn without_scheme(text: &[u8]) -> Option<&[u8]> {
    ["http://", "https://"].into_iter().find_map(|scheme| {
        let (start, rest) = text.split_at_checked(scheme.len())?;
        start.eq_ignore_ascii_case(scheme.as_bytes()).then_some(rest)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    type Parts = (Option<&'static str>, Option<&'static str>, Option<&'static str>);

    fn parts(target: &'static str) -> Option<Parts> {
        let text = |bytes: Option<&'static [u8]>| bytes.map(|b| core::str::from_utf8(b).unwrap());
        Target::split(target.as_bytes()).map(|t| (text(t.authority), text(t.path), text(t.query)))
    }

    #[test]
    fn each_form_is_split() {
        for (target, expected) in [
            ("", (None, None, None)),
            ("*", (None, None, None)),
            ("/", (None, Some("/"), None)),
            ("/a?b", (None, Some("/a"), Some("b"))),
            ("/a??b?c", (None, Some("/a"), Some("?b?c"))),
            ("/a?", (None, Some("/a"), Some(""))),
            ("//h/a", (None, Some("//h/a"), None)),
            ("http://h/a?b", (Some("h"), Some("/a"), Some("b"))),
            ("HTTPS://u@h:1?b", (Some("u@h:1"), Some("/"), Some("b"))),
            ("http://", (Some(""), Some("/"), None)),
        ] {
            assert_eq!(parts(target), Some(expected), "{target}");
        }
    }

    #[test]
    fn other_forms_are_refused() {
        for target in ["a", "a/b", "h:80", "ftp://h/a", "http:/h", "?a", "**", "\\a"] {
            assert_eq!(parts(target), None, "{target}");
        }
    }
}
