//! What a ruling costs, by the number of rules and by what they differ in.
//!
//! `cargo run --release -p lychgate-core --example policy_cost`

use core::hint::black_box;
use std::time::Instant;

use lychgate_core::json::{Bounds, Document};
use lychgate_core::policy::resource::AuthorizationPolicySpec;
use lychgate_core::policy::{Facts, PolicyCompiler, PolicyOptions, PolicySet};
use lychgate_core::request::{Connection, Lines};
use lychgate_core::spiffe::SpiffeId;

const BOUNDS: Bounds = Bounds { bytes: 1 << 20, depth: 32, members: 4096 };
const ROUNDS: u32 = 200_000;

/// Writes the rule of a number.
type Writer = fn(usize) -> String;

type Failure = Box<dyn core::error::Error>;

fn main() -> Result<(), Failure> {
    let differences: [(&str, Writer); 5] = [
        ("path", |n| rule(&format!("/api/{n}/*"), "*", "*")),
        ("peer", |n| rule("/*", &format!("cluster.local/ns/a/sa/{n}"), "*")),
        ("subject", |n| rule("/*", "*", &format!("https://issuer.example/{n}"))),
        ("path or peer or subject", |n| match n % 3 {
            0 => rule(&format!("/api/{n}/*"), "*", "*"),
            1 => rule("/*", &format!("cluster.local/ns/a/sa/{n}"), "*"),
            _ => rule("/*", "*", &format!("https://issuer.example/{n}")),
        }),
        ("nothing that is indexed", |n| {
            format!(r#"{{"when":[{{"key":"request.headers[x]","values":["{n}"]}}]}}"#)
        }),
    ];
    println!("ns for a ruling that allows by the last rule / that refuses");
    for (name, rule) in differences {
        print!("{name:>24}");
        for rules in [1, 10, 100, 1_000, 10_000] {
            let set = compile(rules, rule)?;
            let (allowed, refused) = measure(&set, rules)?;
            print!("  {rules:>6}: {allowed:>6} / {refused:>6}");
        }
        println!();
    }
    Ok(())
}

fn rule(path: &str, peer: &str, subject: &str) -> String {
    format!(
        r#"{{"from":[{{"source":{{"principals":["{peer}"],"requestPrincipals":["{subject}"]}}}}],
            "to":[{{"operation":{{"methods":["GET"],"paths":["{path}"]}}}}]}}"#
    )
}

/// One policy a rule, as meshes have it.
fn compile(rules: usize, rule: Writer) -> Result<PolicySet, Failure> {
    let trust_domains = vec!["cluster.local".to_owned()];
    let mut compiler =
        PolicyCompiler::new(PolicyOptions { trust_domains, source_address_is_peer: false });
    for number in 0..rules {
        let text = format!(r#"{{"rules":[{}]}}"#, rule(number));
        let document = Document::parse(text.as_bytes(), &BOUNDS)?;
        let spec = AuthorizationPolicySpec::read(document.root())?;
        compiler.add("default", &format!("p{number}"), false, &spec)?;
    }
    Ok(compiler.finish())
}

fn measure(set: &PolicySet, rules: usize) -> Result<(u128, u128), Failure> {
    let last = rules.saturating_sub(1);
    let path = format!("/api/{last}/orders");
    let subject = last.to_string();
    let peer = SpiffeId::parse(format!("spiffe://cluster.local/ns/a/sa/{last}").as_bytes())?;
    let stranger = SpiffeId::parse(b"spiffe://cluster.local/ns/b/sa/stranger")?;
    let known = Facts {
        method: b"GET",
        path: Some(&path),
        host: Some("orders.example"),
        headers: &[],
        lines: Lines::Separate,
        connection: Connection::default(),
        peer: Some(&peer),
        issuer: Some("https://issuer.example"),
        subject: Some(&subject),
        claims: None,
        unclear_headers: &[],
        space_delimited: &[],
        metadata: &[],
    };
    let unknown = Facts { peer: Some(&stranger), path: Some("/x"), subject: Some("x"), ..known };
    Ok((time(set, &known), time(set, &unknown)))
}

fn time(set: &PolicySet, facts: &Facts<'_>) -> u128 {
    let mut best = u128::MAX;
    for _ in 0..5 {
        let start = Instant::now();
        let mut rounds = 0_u32;
        while rounds < ROUNDS && start.elapsed().as_millis() < 100 {
            for _ in 0..64 {
                black_box(black_box(set).evaluate(black_box(facts)).reason);
            }
            rounds = rounds.saturating_add(64);
        }
        let each = start.elapsed().as_nanos().checked_div(u128::from(rounds));
        best = best.min(each.unwrap_or(u128::MAX));
    }
    best
}
