//! A curl command line, as somebody pastes it.

/// What a command line asks for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Curl {
    pub(crate) method: String,
    pub(crate) host: String,
    pub(crate) target: String,
    pub(crate) headers: Vec<(String, String)>,
    /// Whether it presents a client certificate, of which the line does not say the identity.
    pub(crate) certificate: bool,
}

/// Options with a value that change nothing about the request's line and headers.
const VALUED: &[&str] = &[
    "-o",
    "--output",
    "-m",
    "--max-time",
    "--connect-timeout",
    "--cacert",
    "--capath",
    "--resolve",
    "-x",
    "--proxy",
    "--retry",
    "--retry-delay",
    "-w",
    "--write-out",
    "-c",
    "--cookie-jar",
    "--key",
    "--pass",
    "--interface",
    "--limit-rate",
    "-D",
    "--dump-header",
    "--ciphers",
    "--connect-to",
];

/// Options without a value that change nothing either.
const PLAIN: &[&str] = &[
    "-s",
    "--silent",
    "-S",
    "--show-error",
    "-v",
    "--verbose",
    "-i",
    "--include",
    "-k",
    "--insecure",
    "-L",
    "--location",
    "-f",
    "--fail",
    "--fail-with-body",
    "--compressed",
    "--http1.1",
    "--http2",
    "-N",
    "--no-buffer",
    "-4",
    "-6",
    "--ipv4",
    "--ipv6",
    "-g",
    "--globoff",
    "-#",
    "--path-as-is",
];

/// Options that send a body.
const DATA: &[&str] = &[
    "-d",
    "--data",
    "--data-raw",
    "--data-binary",
    "--data-ascii",
    "--data-urlencode",
    "-F",
    "--form",
];

/// Reads a command line.
///
/// # Errors
/// Says which part it does not understand, and never leaves one out that might change the verdict.
pub(crate) fn parse(line: &str) -> Result<Curl, String> {
    let words = split(line)?;
    let mut words = words.into_iter().peekable();
    if words.peek().is_some_and(|word| word == "curl") {
        words.next();
    }
    let mut reader = Reader::default();
    while let Some(word) = words.next() {
        for (option, inline) in spread(&word) {
            reader.take(&option, &mut || inline.clone().or_else(|| words.next()))?;
        }
    }
    reader.finish()
}

#[derive(Debug, Default)]
struct Reader {
    method: Option<String>,
    url: Option<String>,
    headers: Vec<(String, String)>,
    data: Option<String>,
    get: bool,
    certificate: bool,
}

impl Reader {
    fn take(
        &mut self,
        option: &str,
        value: &mut dyn FnMut() -> Option<String>,
    ) -> Result<(), String> {
        let mut needed = || value().ok_or_else(|| format!("{option} needs a value"));
        match option {
            "-X" | "--request" => self.method = Some(needed()?),
            "-I" | "--head" => self.method = Some("HEAD".to_owned()),
            "-G" | "--get" => self.get = true,
            "-H" | "--header" => {
                let line = needed()?;
                let (name, value) = line
                    .split_once(':')
                    .ok_or_else(|| format!("the header {line:?} has no colon"))?;
                self.headers.push((name.trim().to_owned(), value.trim().to_owned()));
            }
            "-b" | "--cookie" => self.headers.push(("cookie".to_owned(), needed()?)),
            "-A" | "--user-agent" => self.headers.push(("user-agent".to_owned(), needed()?)),
            "-e" | "--referer" => self.headers.push(("referer".to_owned(), needed()?)),
            "--oauth2-bearer" => {
                let token = format!("Bearer {}", needed()?);
                self.headers.push(("authorization".to_owned(), token));
            }
            "--json" => {
                self.data = Some(needed()?);
                let json = || "application/json".to_owned();
                self.headers.push(("content-type".to_owned(), json()));
                self.headers.push(("accept".to_owned(), json()));
            }
            "-E" | "--cert" => {
                needed()?;
                self.certificate = true;
            }
            "-u" | "--user" => {
                needed()?;
                self.headers.push(("authorization".to_owned(), "Basic".to_owned()));
            }
            "--url" => self.url = Some(needed()?),
            _ if DATA.contains(&option) => {
                let more = needed()?;
                self.data = Some(match self.data.take() {
                    Some(data) => format!("{data}&{more}"),
                    None => more,
                });
            }
            _ if VALUED.contains(&option) => drop(needed()?),
            _ if PLAIN.contains(&option) => {}
            _ if option.starts_with('-') => {
                return Err(format!("the curl option {option} is not understood here"));
            }
            _ if self.url.is_some() => return Err(format!("a second URL: {option}")),
            _ => self.url = Some(option.to_owned()),
        }
        Ok(())
    }

    fn finish(self) -> Result<Curl, String> {
        let url = self.url.ok_or("the command line has no URL")?;
        let rest = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        let rest = rest.split('#').next().unwrap_or_default();
        let (host, path) = rest.split_at(rest.find(['/', '?']).unwrap_or(rest.len()));
        let mut target = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        let method = match (self.method, &self.data) {
            (Some(method), _) => method,
            (None, Some(_)) if !self.get => "POST".to_owned(),
            (None, _) => "GET".to_owned(),
        };
        if let (true, Some(data)) = (self.get, &self.data) {
            let mark = if target.contains('?') { '&' } else { '?' };
            target = format!("{target}{mark}{data}");
        }
        let is_host = |name: &str| name.eq_ignore_ascii_case("host");
        let named = self.headers.iter().find(|(name, _)| is_host(name));
        let host = named.map_or_else(|| host.to_owned(), |(_, host)| host.clone());
        // Somebody's name and password before the host become a header that is no bearer token.
        let (user, host) = match host.rsplit_once('@') {
            Some((user, host)) => (Some(user.to_owned()), host.to_owned()),
            None => (None, host),
        };
        let mut headers: Vec<_> =
            self.headers.into_iter().filter(|(name, _)| !is_host(name)).collect();
        if user.is_some() {
            headers.push(("authorization".to_owned(), "Basic".to_owned()));
        }
        Ok(Curl { method, host, target, headers, certificate: self.certificate })
    }
}

/// `-sSk` is three options, `-XPOST` is one with its value, and so is `--request=POST`.
fn spread(word: &str) -> Vec<(String, Option<String>)> {
    if word.starts_with("--") {
        return match word.split_once('=') {
            Some((name, value)) => vec![(name.to_owned(), Some(value.to_owned()))],
            None => vec![(word.to_owned(), None)],
        };
    }
    let Some(letters) = word.strip_prefix('-') else { return vec![(word.to_owned(), None)] };
    let mut options = Vec::new();
    let mut rest = letters.chars();
    while let Some(letter) = rest.next() {
        let option = format!("-{letter}");
        let has_value = VALUED.contains(&option.as_str())
            || DATA.contains(&option.as_str())
            || matches!(letter, 'X' | 'H' | 'b' | 'A' | 'e' | 'E' | 'u');
        let inline = Some(rest.as_str().to_owned()).filter(|value| has_value && !value.is_empty());
        options.push((option, inline));
        if has_value {
            break;
        }
    }
    options
}

/// Splits a line as a POSIX shell does: quotes, backslashes, and lines that go on.
fn split(line: &str) -> Result<Vec<String>, String> {
    let mut words = Vec::new();
    let mut word: Option<String> = None;
    let mut rest = line.trim().chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\'' => single_quoted(&mut rest, word.get_or_insert_default())?,
            '"' => double_quoted(&mut rest, word.get_or_insert_default())?,
            '\\' => match rest.next() {
                Some('\n') => {}
                Some('\r') => drop(rest.next_if_eq(&'\n')),
                Some(escaped) => word.get_or_insert_default().push(escaped),
                None => return Err("a backslash at the end".to_owned()),
            },
            ';' | '|' | '&' | '<' | '>' | '`' | '(' | ')' => {
                return Err(format!("{character:?} outside quotes is for the shell, not for curl"));
            }
            '$' => {
                return Err("a variable of the shell is not known here: write its value".to_owned());
            }
            _ if character.is_whitespace() => words.extend(word.take()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    Ok(words)
}

fn single_quoted(
    rest: &mut core::iter::Peekable<core::str::Chars<'_>>,
    word: &mut String,
) -> Result<(), String> {
    for character in rest {
        if character == '\'' {
            return Ok(());
        }
        word.push(character);
    }
    Err("a quote is not closed".to_owned())
}

fn double_quoted(
    rest: &mut core::iter::Peekable<core::str::Chars<'_>>,
    word: &mut String,
) -> Result<(), String> {
    loop {
        match rest.next() {
            Some('"') => return Ok(()),
            Some('\\') => match rest.next() {
                Some(escaped @ ('"' | '\\' | '$' | '`')) => word.push(escaped),
                Some('\n') => {}
                Some(other) => word.extend(['\\', other]),
                None => return Err("a quote is not closed".to_owned()),
            },
            Some('$' | '`') => {
                return Err("a variable of the shell is not known here: write its value".to_owned());
            }
            Some(inner) => word.push(inner),
            None => return Err("a quote is not closed".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn command_lines_are_read_as_a_shell_and_curl_read_them() {
        for (line, method, host, target, headers) in [
            ("curl https://h.example/a?b=c", "GET", "h.example", "/a?b=c", &[][..]),
            ("curl h:8080", "GET", "h:8080", "/", &[]),
            ("curl -sSkXPOST http://h/a", "POST", "h", "/a", &[]),
            ("curl -X 'PUT' --url http://h?x", "PUT", "h", "/?x", &[]),
            ("curl --request=DELETE h/a#frag", "DELETE", "h", "/a", &[]),
            ("curl -d a=b --data c http://h/", "POST", "h", "/", &[]),
            ("curl -G -d a=b http://h/p?x", "GET", "h", "/p?x&a=b", &[]),
            ("curl -I http://h/", "HEAD", "h", "/", &[]),
            (
                "curl -H \"X-A: b \\\"c\\\"\" -H'Host: other' \\\n http://h/",
                "GET",
                "other",
                "/",
                &[("X-A", "b \"c\"")],
            ),
            ("curl -b 'a=b; c=d' h", "GET", "h", "/", &[("cookie", "a=b; c=d")]),
            ("curl --oauth2-bearer x.y.z h", "GET", "h", "/", &[("authorization", "Bearer x.y.z")]),
            ("curl http://u:p@h/", "GET", "h", "/", &[("authorization", "Basic")]),
            ("http://h/", "GET", "h", "/", &[]),
        ] {
            let curl = parse(line).unwrap_or_else(|message| panic!("{line}: {message}"));
            let found: Vec<_> =
                curl.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
            assert_eq!(
                (curl.method.as_str(), curl.host.as_str(), curl.target.as_str(), found.as_slice()),
                (method, host, target, headers),
                "{line}"
            );
        }
        assert!(parse("curl --cert a.pem h").unwrap().certificate);
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (line, expected) in [
            ("curl", "no URL"),
            ("curl --magic h", "--magic"),
            ("curl h k", "second URL: k"),
            ("curl -H", "-H needs a value"),
            ("curl -H nocolon h", "no colon"),
            ("curl 'h", "quote"),
            ("curl \"h", "quote"),
            ("curl h | jq", "'|'"),
            ("curl -H \"authorization: Bearer $TOKEN\" h", "variable"),
            ("curl $URL", "variable"),
            ("curl h \\", "backslash"),
        ] {
            let message = parse(line).unwrap_err();
            assert!(message.contains(expected), "{line}: {message}");
        }
    }
}
