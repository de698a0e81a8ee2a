use super::*;
use crate::request::{Connection, HeaderLine, Lines};
use crate::spiffe::Peer;
use alloc::string::String;

fn header(name: &str, prefix: &str) -> Location {
    Location::Header { name: name.into(), prefix: prefix.into() }
}

fn extract(
    locations: &[Location],
    target: &str,
    headers: &[(&str, &str)],
) -> Result<Option<String>, CredentialError> {
    let headers: Vec<_> = headers
        .iter()
        .map(|(name, value)| HeaderLine { name: name.as_bytes(), value: value.as_bytes() })
        .collect();
    let request = Request {
        method: b"GET",
        target: target.as_bytes(),
        authority: None,
        headers: &headers,
        lines: Lines::Separate,
        peer: &Peer::Absent,
        connection: Connection::default(),
        metadata: &[],
    };
    let places = Places::new(locations);
    let credential = places.extract(&request)?;
    if let Some(found) = &credential {
        places.check(found)?;
    }
    Ok(credential.map(|found| String::from_utf8(found.token.into_owned()).unwrap()))
}

/// What stands in one `Authorization` line, with the default locations.
fn authorization(value: &str) -> Result<Option<String>, CredentialError> {
    extract(&Location::istio_default(), "/", &[("Authorization", value)])
}

const MALFORMED: Result<Option<String>, CredentialError> = Err(CredentialError::Malformed);
const MULTIPLE: Result<Option<String>, CredentialError> = Err(CredentialError::Multiple);

fn token() -> Result<Option<String>, CredentialError> {
    Ok(Some("T.t-_".into()))
}

#[test]
fn the_bearer_scheme_is_found_in_any_case_with_any_number_of_spaces() {
    for value in ["Bearer T.t-_", "bearer T.t-_", "BEARER T.t-_", "bEaReR   T.t-_"] {
        assert_eq!(authorization(value), token(), "{value}");
    }
}

#[test]
fn another_scheme_is_no_token() {
    for value in ["Basic eA==", "Digest a=\"b\"", "Negotiate", "", "DPoP T", "Basic x,Basic y"] {
        assert_eq!(authorization(value), Ok(None), "{value}");
    }
    assert_eq!(extract(&Location::istio_default(), "/", &[]), Ok(None));
}

#[test]
fn the_bearer_scheme_at_another_place_is_malformed() {
    for value in
        ["Basic x, Bearer T", "XBearer T", "Basic x,bearer T", "\"Bearer T\"", "\tBearer T"]
    {
        assert_eq!(authorization(value), MALFORMED, "{value}");
    }
}

#[test]
fn what_is_no_single_token_is_malformed() {
    for value in [
        "Bearer",
        "Bearer ",
        "BearerT",
        "Bearer\tT",
        "Bearer T garbage",
        "Bearer \"T\"",
        "Bearer T\t",
        "Bearer T,",
        "Bearer T,garbage",
        "Bearer ,T",
        "Bearer T;x",
        "Bearer T\u{e9}",
        "Bearer:T",
    ] {
        assert_eq!(authorization(value), MALFORMED, "{value}");
    }
}

#[test]
fn two_tokens_in_a_line_are_two_credentials() {
    for value in ["Bearer a,Bearer b", "Bearer a, bearer a", "Bearer a,x,Bearer b"] {
        assert_eq!(authorization(value), MULTIPLE, "{value}");
    }
}

#[test]
fn two_lines_are_the_line_that_a_host_makes_of_them() {
    for (first, second) in [
        ("Bearer a", "Bearer b"),
        ("Bearer a", "Bearer a"),
        ("Bearer a", "Basic b"),
        ("Basic b", "Bearer a"),
        ("Basic a", "Basic b"),
        ("Bearer a", ""),
        ("", "Bearer a"),
    ] {
        let two = [("authorization", first), ("Authorization", second)];
        let joined = alloc::format!("{first},{second}");
        let separate = extract(&Location::istio_default(), "/", &two);
        assert_eq!(separate, authorization(&joined), "{joined}");
        assert_ne!(separate, Ok(Some("a".into())));
    }
}

#[test]
fn similar_headers_hold_no_token() {
    for name in ["Authorization_", "X-Authorization", "Proxy-Authorization", "authorization "] {
        let found = extract(&Location::istio_default(), "/", &[(name, "Bearer T")]);
        assert_eq!(found, Ok(None), "{name}");
    }
}

#[test]
fn the_query_is_a_place_by_default() {
    let find = |target: &str| extract(&Location::istio_default(), target, &[]);
    assert_eq!(find("/?a&access_token=T.t-_"), token());
    assert_eq!(find("/?access%5Ftoken=%54.t-_"), token());
    assert_eq!(find("/?Access_Token=T"), Ok(None));
    for query in [
        "access_token",
        "access_token=",
        "access_token=a+b",
        "access_token=%zz",
        "access_token=%00",
    ] {
        assert_eq!(find(&alloc::format!("/?{query}")), MALFORMED, "{query}");
    }
    for query in [
        "access_token=T&access_token=T",
        "access_token=T&access%5ftoken",
        "access_token&access_token=T",
    ] {
        assert_eq!(find(&alloc::format!("/?{query}")), MULTIPLE, "{query}");
    }
}

#[test]
fn two_places_are_two_credentials() {
    let headers = [("authorization", "Bearer T")];
    for target in ["/?access_token=T", "/?access_token="] {
        assert_eq!(extract(&Location::istio_default(), target, &headers), MULTIPLE);
    }
    let basic = [("authorization", "Basic T")];
    assert_eq!(extract(&Location::istio_default(), "/?access_token=T.t-_", &basic), token());
}

#[test]
fn a_rule_with_its_own_places_has_no_others() {
    let places = [header("X-Jwt", "")];
    assert_eq!(extract(&places, "/?access_token=T", &[("authorization", "Bearer T")]), Ok(None));
    assert_eq!(extract(&places, "/", &[("x-jwt", "T.t-_")]), token());
    for value in ["", "Bearer T", "a,", "\"T\""] {
        assert_eq!(extract(&places, "/", &[("x-jwt", value)]), MALFORMED, "{value}");
    }
    assert_eq!(extract(&places, "/", &[("x-jwt", "a"), ("x-jwt", "b")]), MULTIPLE);
}

#[test]
fn another_prefix_compares_byte_by_byte() {
    let places = [header("x-jwt", "JWT ")];
    let find = |value: &str| extract(&places, "/", &[("x-jwt", value)]);
    assert_eq!(find("JWT T.t-_"), token());
    assert_eq!(find("JWT   T.t-_"), token());
    for value in ["jwt T", "JWTT", "JWT", "T", ""] {
        assert_eq!(find(value), Ok(None), "{value}");
    }
    for value in ["x JWT T", "XJWT T", "JWT ", "JWT T x"] {
        assert_eq!(find(value), MALFORMED, "{value}");
    }
}

#[test]
fn the_longest_prefix_of_a_header_takes_the_token() {
    let places = [
        header("authorization", ""),
        header("Authorization", "Bearer "),
        header("authorization", "JWT "),
    ];
    for value in ["Bearer T.t-_", "JWT T.t-_", "T.t-_"] {
        assert_eq!(extract(&places, "/", &[("authorization", value)]), token(), "{value}");
    }
    let known = Places::new(&places);
    let [bare, bearer, jwt] = places.map(|place| known.find(&place).unwrap());
    assert!(bare != bearer && bearer != jwt && bare != jwt);
}

#[test]
fn the_same_place_of_two_rules_is_one() {
    let twice = [header("authorization", "Bearer "), header("Authorization", "bearer")];
    let places = Places::new(&twice);
    assert_eq!(places.find(&twice[0]), places.find(&twice[1]));
    assert_eq!(extract(&twice, "/", &[("authorization", "Bearer T.t-_")]), token());
}

#[test]
fn a_cookie_is_found_by_its_exact_name() {
    let places = [Location::Cookie("__Host-jwt".into())];
    let find = |value: &str| extract(&places, "/", &[("cookie", value)]);
    assert_eq!(find("a=b; __Host-jwt=T.t-_;c"), token());
    assert_eq!(find("__Host-jwt=\"T.t-_\""), token());
    for value in ["__host-jwt=T", "jwt=T", "__Host-jwt", "x__Host-jwt=T"] {
        assert_eq!(find(value), Ok(None), "{value}");
    }
    for value in ["__Host-jwt=", "__Host-jwt=a b", "__Host-jwt=\"a\"b"] {
        assert_eq!(find(value), MALFORMED, "{value}");
    }
    assert_eq!(find("__Host-jwt=T; __Host-jwt=T"), MULTIPLE);
    let lines = [("cookie", "__Host-jwt=T"), ("Cookie", "__Host-jwt=T")];
    assert_eq!(extract(&places, "/", &lines), MULTIPLE);
}

#[test]
fn a_credential_can_not_be_formatted() {
    let places = Places::new(&Location::istio_default());
    let place = places.find(&header("authorization", "Bearer ")).unwrap();
    let credential = Credential { token: Cow::Borrowed(b"secret"), place };
    assert!(!alloc::format!("{credential:?}").contains("secret"));
}
