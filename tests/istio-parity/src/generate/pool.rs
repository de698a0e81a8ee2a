//! The few texts of which everything is made.

use crate::random::Random;

pub(super) const SOURCE_FIELDS: [&str; 7] = [
    "principals",
    "requestPrincipals",
    "namespaces",
    "serviceAccounts",
    "trustDomains",
    "ipBlocks",
    "remoteIpBlocks",
];

pub(super) const OPERATION_FIELDS: [&str; 4] = ["hosts", "methods", "paths", "ports"];

pub(super) const KEYS: [&str; 27] = [
    "request.headers[x-tier]",
    "request.headers[X-Role]",
    "source.ip",
    "remote.ip",
    "source.namespace",
    "source.principal",
    "source.serviceAccount",
    "source.trustDomain",
    "request.auth.principal",
    "request.auth.audiences",
    "request.auth.presenter",
    "request.auth.claims[iss]",
    "request.auth.claims[sub]",
    "request.auth.claims[group]",
    "request.auth.claims[groups]",
    "request.auth.claims[scope]",
    "request.auth.claims[permission]",
    "request.auth.claims[scp]",
    "request.auth.claims[roles]",
    "request.auth.claims[a][b]",
    "request.auth.claims[a][b][c]",
    "request.auth.claims[https://x/y]",
    "request.auth.claims[level]",
    "destination.ip",
    "destination.port",
    "connection.sni",
    "experimental.envoy.filters.a.b[c]",
];

pub(super) const ISSUERS: [&str; 5] =
    ["https://i.example", "https://i.example/t", "issuer-b", "https://j.example", "nobody"];
pub(super) const SUBJECTS: &[&str] = &["alice", "bob", "t/alice", "alice/x", "al", "x/y/z"];
pub(super) const DOMAINS: &[&str] =
    &["cluster.local", "old-td", "td2", "other", "cluster.localx", "xcluster.local", "mesh.x"];
pub(super) const NAMESPACES: &[&str] = &["prod", "a", "ab", "ns", "sa", "prod-x", "shop", "web"];
pub(super) const ACCOUNTS: &[&str] = &["web", "db", "a.b", "a-b", "axb", "web-1"];
pub(super) const HOSTS: &[&str] = &[
    "example.com",
    "api.example.com",
    "api.example.com:8080",
    "admin.example.com",
    "API.Example.com",
    "example.com.",
    "[::1]:80",
];
pub(super) const METHODS: &[&str] = &["GET", "POST", "PUT", "DELETE", "OPTIONS", "GETX"];
pub(super) const PATHS: &[&str] = &[
    "/",
    "/admin",
    "/admin/",
    "/admin/users",
    "/admin/users/1",
    "/public",
    "/public/a.css",
    "/v1/items",
    "/v1/items/1/x",
    "/Admin",
    "/a/b",
    "/a%20b",
    "/a%7Cb",
];
pub(super) const TEMPLATES: &[&str] = &[
    "/{*}",
    "/admin/{*}",
    "/admin/{**}",
    "/{**}",
    "/{**}/users",
    "/v1/{*}/1/{*}",
    "/v1/{*}/{**}/x",
    "/{*}/{*}",
    "/{*}/users/{**}",
];
pub(super) const PORTS: &[&str] =
    &["80", "8080", "443", "0", "65535", "8443", "9090", "15001", "1", "8081"];
/// Physical peers: a client of this machine has any address of its loopback.
pub(super) const SOURCES: &[&str] =
    &["127.0.0.1", "127.0.1.2", "127.9.0.1", "127.77.0.1", "127.0.3.3", "::1"];
const SOURCE_RANGES: &[&str] = &[
    "127.0.0.1",
    "127.0.1.2",
    "127.0.0.0/24",
    "127.0.0.1/31",
    "127.9.0.1/32",
    "127.0.1.0/24",
    "127.9.0.0/24",
    "192.168.0.0/16",
    "198.51.100.0/24",
    "203.0.113.7",
    "10.0.0.0/8",
    "0.0.0.0/0",
    "::/0",
    "::1",
];
pub(super) const ADDRESSES: &[&str] = &[
    "10.0.0.1",
    "10.0.1.2",
    "192.168.0.1",
    "198.51.100.7",
    "203.0.113.9",
    "2001:db8::1",
    "::1",
    "::ffff:10.0.0.1",
];

/// Addresses as policies have them; a mapped one is refused.
const PLAIN_ADDRESSES: &[&str] = &["10.0.0.1", "10.0.1.2", "192.168.0.1", "2001:db8::1", "::1"];
const RANGES: &[&str] = &[
    "198.51.100.0/24",
    "203.0.113.0/28",
    "172.16.0.0/12",
    "10.0.0.0/16",
    "10.0.0.1/31",
    "10.0.0.0/24",
    "0.0.0.0/0",
    "2001:db8::/32",
    "::/0",
    "10.0.0.1/32",
    "192.168.255.255/8",
];
/// What policies name; Envoy has the names in lower case.
const SERVER_NAMES: &[&str] = &["example.com", "api.example.com", "ex.example.com", "shop.test"];
pub(super) const NAMES: &[&str] =
    &["example.com", "api.example.com", "EX.example.com", "Shop.test", "other.test", "www.test"];
pub(super) const WORDS: &[&str] = &[
    "admin",
    "user",
    "read",
    "write",
    "read write",
    "a,b",
    "admin\n",
    "admin2",
    "5",
    "true",
    "größe",
    "GRÖSSE",
    "[admin]",
    "ad min",
    "read\twrite",
    ".+",
    "a.c",
    "1000",
    "1.500000",
];
pub(super) const SCOPES: &[&str] =
    &["read", "write", "read write", "read  write", "read\twrite", "write admin", ""];
pub(super) const TIERS: &[&str] =
    &["gold", "silver", "gold-1", "gold,silver", "gold, silver", "GOLD"];
/// Headers that rules write claims to, and clients forge; the last is for payloads.
pub(super) const OUTPUTS: [&str; 3] = ["x-role", "x-out", "x-payload"];
pub(super) const OUTPUT_CLAIMS: [&str; 6] = ["group", "groups", "level", "sub", "azp", "a.b"];

/// The ID of a peer, without its scheme.
pub(super) fn principal(random: &mut Random) -> String {
    let (domain, namespace, account) =
        (random.pick(DOMAINS), random.pick(NAMESPACES), random.pick(ACCOUNTS));
    match random.weighted(&[86, 2, 2, 2, 2, 2, 2, 2]) {
        0 => format!("{domain}/ns/{namespace}/sa/{account}"),
        1 => domain.to_owned(),
        2 => format!("{domain}/ns/{namespace}"),
        3 => format!("{domain}/x/ns/{namespace}/sa/{account}"),
        4 => format!("{domain}/ns/{namespace}/v/1/sa/{account}"),
        5 => format!("{domain}/ns/{namespace}/sa/{account}/x"),
        6 => format!("{domain}/ns/zz/sa/ns/{namespace}/x"),
        _ => format!("{domain}/ns/ns/{namespace}/sa/sa/{account}"),
    }
}

/// What a star may stand for.
pub(super) fn fill(random: &mut Random) -> String {
    random.pick(&["a", "x-1", "admin", "td", "1"]).to_owned()
}

/// A value for a field or a key.
pub(super) fn value(random: &mut Random, name: &str) -> String {
    match name {
        "ports" | "destination.port" => random.pick(PORTS).into(),
        "ipBlocks" | "source.ip" => random.pick(SOURCE_RANGES).into(),
        "remoteIpBlocks" | "remote.ip" | "destination.ip" => {
            let list = if random.percent(50) { RANGES } else { PLAIN_ADDRESSES };
            random.pick(list).into()
        }
        "serviceAccounts" | "source.serviceAccount" => {
            let account = random.pick(ACCOUNTS);
            if random.percent(60) {
                format!("{}/{account}", random.pick(NAMESPACES))
            } else {
                account.into()
            }
        }
        "paths" if random.percent(25) => random.pick(TEMPLATES).into(),
        "experimental.envoy.filters.a.b[c]" if random.percent(40) => {
            let text = text(random, name);
            format!("[{}]", pattern(random, name, text.trim_matches(['[', ']'])))
        }
        _ => {
            let text = text(random, name);
            pattern(random, name, &text)
        }
    }
}

fn text(random: &mut Random, name: &str) -> String {
    let list = match name {
        "principals" | "source.principal" => return principal(random),
        "requestPrincipals" | "request.auth.principal" => {
            // The first issuers are in most sets.
            let issuer = ISSUERS[random.weighted(&[40, 25, 15, 10, 10])];
            let subject = random.pick(SUBJECTS);
            return format!("{issuer}/{subject}");
        }
        "namespaces" | "source.namespace" => NAMESPACES,
        "trustDomains" | "source.trustDomain" => DOMAINS,
        "hosts" => HOSTS,
        "methods" => METHODS,
        "paths" => PATHS,
        "connection.sni" => SERVER_NAMES,
        "request.headers[x-tier]" => TIERS,
        "request.auth.claims[iss]" => &ISSUERS,
        "request.auth.claims[sub]" => SUBJECTS,
        "request.auth.audiences" => &["api", "other", "https://api/"],
        "request.auth.claims[scope]"
        | "request.auth.claims[permission]"
        | "request.auth.claims[scp]"
        | "request.auth.claims[roles]" => &SCOPES[..6],
        _ => WORDS,
    };
    random.pick(list).into()
}

/// The text itself, a part of it with a star, a star, or something close to it.
fn pattern(random: &mut Random, name: &str, text: &str) -> String {
    let at = random.below(text.len() + 1);
    let at = if text.is_char_boundary(at) { at } else { 0 };
    let (before, behind) = text.split_at(at);
    // Most fields refuse to load with these, and everything beside them with them.
    let odd = takes_anything(name) || random.percent(10);
    match random.weighted(&[50, 18, 16, 8, 3, 3, 2]) {
        1 if !before.is_empty() => format!("{before}*"),
        2 if !behind.is_empty() => format!("*{behind}"),
        3 => "*".into(),
        4 if odd => format!("{text}/"),
        5 if odd || name != "connection.sni" => text.to_uppercase(),
        6 if odd && !behind.is_empty() => format!("*{behind}*"),
        _ => text.into(),
    }
}

/// Whether any text is a value that may match.
fn takes_anything(name: &str) -> bool {
    name.starts_with("request.headers")
        || name.starts_with("request.auth.claims")
        || name == "paths"
}
