//! Requests.

use serde_json::{Map, Value, json};

use super::pool::{
    ADDRESSES, HOSTS, ISSUERS, METHODS, NAMES, OUTPUTS, PATHS, PORTS, SCOPES, SOURCES, SUBJECTS,
    TIERS, WORDS, principal,
};
use super::{aim, metadata};
use crate::case::{Form, PeerNames, RequestModel, Setup, Token, now};
use crate::random::Random;
use crate::rbac::PeerForm;
use crate::resource::JwtRule;

/// Requests for a workload, over a few connections.
pub(super) fn requests(random: &mut Random, setup: &Setup, count: usize) -> Vec<RequestModel> {
    let connections: Vec<_> = (0..CONNECTIONS).map(|_| connection(random, setup)).collect();
    let mut next = || {
        let connection = connections[random.below(CONNECTIONS)].clone();
        request(random, setup, connection)
    };
    (0..count).map(|_| next()).collect()
}

/// How many connections carry the requests for one workload.
const CONNECTIONS: usize = 5;

/// How many of a hundred requests are made for a value of the policies; the others are made of the
/// same texts, and come close by chance.
const AIMED: usize = 50;

/// What all requests of one connection have in common.
fn connection(random: &mut Random, setup: &Setup) -> RequestModel {
    let certificate = setup.peers == PeerForm::Certificate && random.percent(80);
    let mut connection = RequestModel {
        source_ip: address(random, SOURCES),
        destination_ip: address(random, ADDRESSES),
        destination_port: random.percent(95).then(|| random.pick(PORTS).parse().expect("port")),
        server_name: random.percent(70).then(|| random.pick(NAMES).to_owned()),
        peer: certificate.then(|| names(random)),
        ..RequestModel::default()
    };
    if random.percent(AIMED) {
        aim::connection(random, setup, &mut connection);
    }
    connection
}

/// The names in a certificate: now and then none that count, or too many.
fn names(random: &mut Random) -> PeerNames {
    let mut id = || format!("spiffe://{}", principal(random));
    let mut names = PeerNames { uris: vec![id()], hosts: Vec::new() };
    let other = id();
    match random.weighted(&[90, 4, 3, 3]) {
        0 => {}
        1 => names.uris.push(other),
        2 => names = PeerNames { uris: Vec::new(), hosts: vec!["example.com".into()] },
        _ => names.uris.clear(),
    }
    names
}

fn request(random: &mut Random, setup: &Setup, connection: RequestModel) -> RequestModel {
    let mut request = RequestModel {
        method: random.pick(METHODS).into(),
        target: path(random),
        authority: random.percent(97).then(|| random.pick(HOSTS).into()),
        remote_ip: address(random, ADDRESSES),
        metadata: metadata(random),
        ..connection
    };
    if setup.peers == PeerForm::FilterState && random.percent(75) {
        let uris = vec![format!("spiffe://{}", principal(random))];
        request.peer = Some(PeerNames { uris, hosts: Vec::new() });
    }
    if random.percent(15) {
        request.target.push_str("?x=/admin");
    }
    header(random, &mut request, "x-tier", TIERS);
    header(random, &mut request, "X-Role", WORDS);
    for name in OUTPUTS {
        if random.percent(4) {
            request.headers.push((name.into(), "forged".into()));
        }
    }
    if random.percent(10) && request.method == "OPTIONS" {
        request.headers.push(("origin".into(), "https://a.example".into()));
        request.headers.push(("access-control-request-method".into(), "GET".into()));
    }
    if random.percent(AIMED) {
        aim::request(random, setup, &mut request);
    }
    if request.tokens.is_empty() {
        for _ in 0..[0, 1, 2][random.weighted(&[25, 72, 3])] {
            let rule = (random.percent(92)).then(|| aim::pick(random, &setup.jwt_rules)).flatten();
            place(random, &mut request, rule);
        }
    }
    request
}

fn header(random: &mut Random, request: &mut RequestModel, name: &str, values: &[&str]) {
    let count = [0, 1, 2][random.weighted(&[40, 50, 10])];
    for _ in 0..count {
        let value = random.pick(values);
        // No transport lets a line feed through, and all cut white space.
        let value = if random.percent(5) { "" } else { value.trim() };
        request.headers.push((name.into(), value.into()));
    }
}

fn address(random: &mut Random, list: &[&str]) -> Option<core::net::IpAddr> {
    random.percent(95).then(|| random.pick(list).parse().expect("address"))
}

fn path(random: &mut Random) -> String {
    let path = random.pick(PATHS);
    let at = random.below(path.len()) + 1;
    let (before, behind) = path.split_at(at);
    match random.below(50) {
        0 => format!("{path}/"),
        1 => format!("{before}/{behind}"),
        2 => format!("{before}./{behind}"),
        3 => format!("/x/..{path}"),
        4 => format!("{path};a=b"),
        5 => format!("{before}%2f{behind}"),
        6 => format!("{before}%C3%A9{behind}"),
        7 => format!("{before}\\{behind}"),
        8 => path.to_uppercase(),
        9 => format!("{before}%25{behind}"),
        10 => format!("{path}/{}", "x".repeat(3000)),
        11 => format!("{before}%2e%2e/{behind}"),
        12..=17 => escaped_letter(random, path),
        18 => format!("{before}%00{behind}"),
        19 => format!("{path}/..;/x"),
        20 => format!("{before}%7c{behind}"),
        21 => format!("{before}[]{behind}"),
        22 => format!("{path}{path}"),
        23 => format!("{path}%3fx"),
        24 => format!("{before}%ff{behind}"),
        _ => path.into(),
    }
}

fn escaped_letter(random: &mut Random, path: &str) -> String {
    let (before, rest) = path.split_at(random.below(path.len()));
    let (letter, behind) = rest.split_at(1);
    let is_plain = letter.chars().all(|letter| letter.is_ascii_alphanumeric());
    if is_plain && !path.contains('%') {
        format!("{before}%{:02x}{behind}", letter.as_bytes()[0])
    } else {
        path.into()
    }
}

/// Puts a token where that rule looks, or where none may look.
pub(super) fn place(random: &mut Random, request: &mut RequestModel, rule: Option<&JwtRule>) {
    let index = request.tokens.len();
    let issuer = rule.map_or(random.pick(&ISSUERS), |rule| rule.issuer.as_str());
    request.tokens.push(token(random, issuer));
    let mark = format!("{{token:{index}}}");
    let usual = ["authorization", "Bearer "];
    let odd = random.percent(10);
    let header = rule.and_then(|rule| rule.from_headers.first()).filter(|_| !odd);
    let parameter = rule.and_then(|rule| rule.from_params.first()).filter(|_| !odd);
    let cookie = rule.and_then(|rule| rule.from_cookies.first()).filter(|_| !odd);
    if let Some(header) = header {
        request.headers.push((header.name.clone(), format!("{}{mark}", header.prefix)));
    } else if let Some(name) = parameter {
        add_parameter(request, name, &mark);
    } else if let Some(name) = cookie {
        request.headers.push(("cookie".into(), format!("a=b; {name}={mark}")));
    } else {
        match random.weighted(&[79, 10, 3, 2, 1, 1, 1, 1, 1, 1]) {
            0 => request.headers.push((usual[0].into(), format!("{}{mark}", usual[1]))),
            1 => add_parameter(request, "access_token", &mark),
            2 => request.headers.push((usual[0].into(), format!("bearer {mark}"))),
            3 => request.headers.push((usual[0].into(), format!("foo Bearer {mark}"))),
            4 => request.headers.push((usual[0].into(), "Basic YTpi".into())),
            5 => request.headers.push(("x-token".into(), mark)),
            6 => add_parameter(request, "token", &mark),
            7 => request.headers.push((usual[0].into(), format!("Bearer {mark} x"))),
            8 => request.headers.push((usual[0].into(), format!("Bearer {mark};"))),
            _ => request.headers.push((usual[0].into(), "Bearer ".into())),
        }
    }
}

fn add_parameter(request: &mut RequestModel, name: &str, value: &str) {
    let separator = if request.target.contains('?') { '&' } else { '?' };
    request.target = format!("{}{separator}{name}={value}", request.target);
}

fn token(random: &mut Random, issuer: &str) -> Token {
    let mut claims = Map::new();
    let mut set = |name: &str, value: Value| drop(claims.insert(name.into(), value));
    set("iss", issuer.into());
    if random.percent(88) {
        let odd = random.percent(8).then(|| random.pick(&["", "al\nice"]));
        set("sub", odd.unwrap_or_else(|| random.pick(SUBJECTS)).into());
    }
    times(random, &mut set);
    match random.weighted(&[40, 35, 10, 15]) {
        0 => set("aud", json!("api")),
        1 => set("aud", json!(["api", "other"])),
        2 => set("aud", json!("https://api/")),
        _ => {}
    }
    for name in ["azp", "group", "groups", "level"] {
        if random.percent(50) {
            set(name, claim(random));
        }
    }
    for name in ["scope", "permission", "scp", "roles"] {
        if random.percent(50) {
            let words = random.pick(SCOPES);
            let odd = random.percent(20);
            set(name, if odd { json!([words, "write"]) } else { json!(words) });
        }
    }
    if random.percent(40) {
        let leaf = claim(random);
        let inner = if random.percent(30) { json!({ "c": leaf }) } else { leaf };
        let outer = json!({ "b": inner });
        set("a", if random.percent(10) { json!([outer]) } else { outer });
    }
    if random.percent(30) {
        set("https://x/y", claim(random));
    }
    let forms = [Form::NoKid, Form::UnknownKid, Form::Forged, Form::Altered, Form::Unsigned];
    let form = if random.percent(94) { Form::Genuine } else { forms[random.below(forms.len())] };
    Token { claims, form }
}

/// Far from every limit, since both sides have clocks of their own; vectors stand at the limits.
fn times(random: &mut Random, set: &mut impl FnMut(&str, Value)) {
    let (day, now) = (86_400, now());
    match random.weighted(&[81, 4, 2, 2, 1, 2, 1, 2, 2, 2, 1]) {
        0 => set("exp", json!(now + day)),
        1 => {}
        2 => set("exp", json!(now - day)),
        3 => set("nbf", json!(now + day)),
        4 => set("exp", json!(0)),
        5 => set("exp", json!((now + day).to_string())),
        6 => set("iat", json!(now + day)),
        7 => set("exp", json!(-1)),
        8 => set("nbf", json!("soon")),
        9 => set("iat", json!("now")),
        _ => set("exp", json!(null)),
    }
}

fn claim(random: &mut Random) -> Value {
    let word = random.pick(WORDS);
    match random.weighted(&[50, 28, 4, 6, 3, 3, 3, 3]) {
        0 => json!(word),
        1 => json!([word, random.pick(WORDS)]),
        2 => json!([[word], 5, null]),
        3 => number(random),
        4 => json!(true),
        5 => json!(null),
        6 => json!({ "x": word }),
        _ => json!(""),
    }
}

/// Each has one text in JSON, and now and then another in a header.
fn number(random: &mut Random) -> Value {
    match random.below(8) {
        0 => json!(1e3),
        1 => json!(1.5),
        2 => json!(-3),
        3 => json!(1e21),
        4 => json!(1e-7),
        5 => json!(9_007_199_254_740_993_u64),
        _ => json!(5),
    }
}
