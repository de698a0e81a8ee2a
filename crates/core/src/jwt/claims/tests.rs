use super::*;
use crate::limits;
use alloc::format;
use alloc::string::String;

const RULES: TimeRules =
    TimeRules { clock_skew: Seconds(60), require_exp: true, max_lifetime: None };

fn claims(json: &str) -> Claims {
    Claims::new(Document::parse(json.as_bytes(), &limits::TOKEN_JSON).unwrap()).unwrap()
}

fn at(seconds: u64) -> UnixTime {
    UnixTime::from_seconds(seconds)
}

#[test]
fn what_is_no_object_has_no_claims() {
    for json in ["[]", "\"x\"", "null", "1"] {
        let document = Document::parse(json.as_bytes(), &limits::TOKEN_JSON).unwrap();
        assert!(Claims::new(document).is_none(), "{json}");
    }
}

#[test]
fn registered_claims_have_three_states() {
    let present = claims(r#"{"iss":"i","sub":"s","aud":"a","exp":3,"nbf":2,"iat":1.5,"jti":"j"}"#);
    assert_eq!(present.issuer(), Claim::Present("i"));
    assert_eq!(present.subject(), Claim::Present("s"));
    assert_eq!(present.token_id(), Claim::Present("j"));
    assert!(matches!(present.audience(), Claim::Present(_)));
    assert!(matches!(present.expires(), Claim::Present(date) if date.floor() == at(3)));
    assert!(matches!(present.issued(), Claim::Present(date) if date.ceil() == at(2)));
    assert_eq!(present.check_shape(), Ok(()));

    let absent = claims("{}");
    assert_eq!(absent.issuer(), Claim::Absent);
    assert_eq!(absent.subject(), Claim::Absent);
    assert!(matches!(absent.audience(), Claim::Absent));
    assert_eq!(absent.not_before(), Claim::Absent);
    assert_eq!(absent.check_shape(), Ok(()));
}

#[test]
fn a_claim_of_the_wrong_type_is_malformed_and_never_absent() {
    for name in ["iss", "sub", "jti", "aud"] {
        for value in ["1", "null", "true", "{}", "[1]", "[null]", "[[\"a\"]]"] {
            let claims = claims(&format!(r#"{{"{name}":{value}}}"#));
            assert_eq!(claims.check_shape(), Err(ClaimError::Malformed(name)), "{name} {value}");
        }
    }
    for name in ["exp", "nbf", "iat"] {
        for value in ["\"1\"", "null", "true", "{}", "[1]", "-1", "1e9", "\"\""] {
            let claims = claims(&format!(r#"{{"{name}":{value}}}"#));
            assert_eq!(claims.check_shape(), Err(ClaimError::Malformed(name)), "{name} {value}");
            assert_eq!(
                claims.check_time(at(0), &RULES),
                Err(ClaimError::Malformed(name)),
                "{name} {value}"
            );
        }
    }
}

#[test]
fn a_subject_is_not_empty_and_has_no_control_characters() {
    for (value, good) in [
        ("a/b", true),
        (" ", true),
        ("\\u202e", true),
        ("", false),
        ("a\\u0000", false),
        ("a\\n", false),
        ("\\u007f", false),
        ("\\u0085", false),
    ] {
        let claims = claims(&format!(r#"{{"sub":"{value}"}}"#));
        assert_eq!(claims.subject().is_malformed(), !good, "{value}");
    }
}

#[test]
fn an_audience_is_one_string_or_a_list_of_some() {
    for value in [r#""""#, "[]", r#"[""]"#, r#"["a",1]"#, r#"["a",""]"#, r#"[["a"]]"#, "{}"] {
        let claims = claims(&format!(r#"{{"aud":{value}}}"#));
        assert!(claims.audience().is_malformed(), "{value}");
        assert_eq!(claims.check_audience(&["a"]), Err(ClaimError::Malformed("aud")), "{value}");
    }
}

#[test]
fn an_audience_matches_byte_by_byte() {
    assert_eq!(claims(r#"{"aud":"a"}"#).check_audience(&["b", "a"]), Ok(()));
    assert_eq!(claims(r#"{"aud":["x","a"]}"#).check_audience(&["a"]), Ok(()));
    assert_eq!(claims(r#"{"aud":"a"}"#).check_audience::<String>(&[]), Ok(()));
    assert_eq!(claims("{}").check_audience::<String>(&[]), Ok(()));
    assert_eq!(claims("{}").check_audience(&["a"]), Err(ClaimError::Audience));
    for other in ["A", "a/", "https://a", "http://a", "a ", "ab"] {
        let claims = claims(&format!(r#"{{"aud":"{other}"}}"#));
        assert_eq!(claims.check_audience(&["a"]), Err(ClaimError::Audience), "{other}");
    }
}

#[test]
fn a_token_is_valid_until_just_before_exp_and_skew() {
    let claims = claims(r#"{"exp":1000.9}"#);
    assert_eq!(claims.check_time(at(1059), &RULES), Ok(()));
    assert_eq!(
        claims.check_time(at(1060), &RULES),
        Err(ClaimError::Expired { exp: at(1000), now: at(1060) })
    );
}

#[test]
fn a_token_is_valid_from_nbf_less_skew() {
    let claims = claims(r#"{"exp":9000,"nbf":1000.1}"#);
    assert_eq!(claims.check_time(at(941), &RULES), Ok(()));
    assert_eq!(
        claims.check_time(at(940), &RULES),
        Err(ClaimError::NotYetValid { nbf: at(1001), now: at(940) })
    );
}

#[test]
fn a_token_from_the_future_is_refused() {
    let claims = claims(r#"{"exp":9000,"iat":1000}"#);
    assert_eq!(claims.check_time(at(940), &RULES), Ok(()));
    assert_eq!(
        claims.check_time(at(939), &RULES),
        Err(ClaimError::IssuedInFuture { iat: at(1000), now: at(939) })
    );
}

#[test]
fn exp_is_required_unless_the_rules_say_otherwise() {
    let claims = claims("{}");
    assert_eq!(claims.check_time(at(0), &RULES), Err(ClaimError::Missing("exp")));
    let lax = TimeRules { require_exp: false, ..RULES };
    assert_eq!(claims.check_time(at(0), &lax), Ok(()));
}

#[test]
fn exp_zero_has_expired() {
    let skewless = TimeRules { clock_skew: Seconds(0), ..RULES };
    assert!(matches!(
        claims(r#"{"exp":0}"#).check_time(at(0), &skewless),
        Err(ClaimError::Expired { .. })
    ));
}

#[test]
fn a_lifetime_is_allowed_at_the_limit_and_refused_past_it() {
    let rules = TimeRules { max_lifetime: Some(Seconds(100)), ..RULES };
    let check = |json: &str| claims(json).check_time(at(1000), &rules);
    assert_eq!(check(r#"{"iat":1000,"exp":1100}"#), Ok(()));
    assert_eq!(check(r#"{"iat":1000.5,"exp":1100.5}"#), Ok(()));
    assert_eq!(
        check(r#"{"iat":1000,"exp":1101}"#),
        Err(ClaimError::Lifetime { lifetime: Seconds(101), limit: Seconds(100) })
    );
    assert_eq!(check(r#"{"exp":1050}"#), Err(ClaimError::Missing("iat")));
    let lax = TimeRules { require_exp: false, ..rules };
    let unlimited = claims(r#"{"iat":1000}"#).check_time(at(1000), &lax);
    assert_eq!(unlimited, Err(ClaimError::Missing("exp")));
}

#[test]
fn no_clock_makes_an_expired_token_valid_or_panics() {
    let claims = claims(r#"{"exp":9007199254740992,"nbf":1,"iat":1}"#);
    let endless = TimeRules { clock_skew: Seconds(u64::MAX), ..RULES };
    assert!(matches!(claims.check_time(at(u64::MAX), &RULES), Err(ClaimError::Expired { .. })));
    assert!(matches!(claims.check_time(at(u64::MAX), &endless), Err(ClaimError::Expired { .. })));
    assert_eq!(claims.check_time(at(0), &RULES), Ok(()));
}

#[test]
fn each_error_has_its_reason() {
    assert_eq!(ClaimError::Audience.reason().status(), 403);
    assert_eq!(ClaimError::Missing("exp").reason(), Reason::ClaimMissing);
    assert_eq!(
        format!("{}", ClaimError::Expired { exp: at(1), now: at(9) }),
        "expired at 1, now is 9"
    );
}
