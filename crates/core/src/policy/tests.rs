//! Policies as a whole: what compiles, what is decided, and what holds for all policies.

mod compile;
mod evaluate;
mod lint;
mod properties;

use alloc::string::ToString as _;

use super::resource::AuthorizationPolicySpec;
use super::{PolicyCompiler, PolicyError, PolicyOptions, PolicySet};
use crate::json::{Bounds, DecodeError, Document};

fn options() -> PolicyOptions {
    PolicyOptions {
        trust_domains: ["cluster.local", "old.example"].map(|name| name.to_string()).into(),
        source_address_is_peer: true,
    }
}

fn spec(text: &str) -> AuthorizationPolicySpec {
    read(text).unwrap_or_else(|error| panic!("{error}: {text}"))
}

fn read(text: &str) -> Result<AuthorizationPolicySpec, DecodeError> {
    const BOUNDS: Bounds = Bounds { bytes: 1 << 20, depth: 32, members: 1 << 16 };
    AuthorizationPolicySpec::read(Document::parse(text.as_bytes(), &BOUNDS).unwrap().root())
}

fn add(spec: &AuthorizationPolicySpec) -> Result<(), PolicyError> {
    PolicyCompiler::new(options()).add("home", "p", false, spec)
}

/// Policies `home/p0`, `home/p1`, ..., of which those that begin with `?` are dry-run.
fn policies(texts: &[&str]) -> PolicySet {
    let mut compiler = PolicyCompiler::new(options());
    for (index, text) in texts.iter().enumerate() {
        let (dry_run, text) = match text.strip_prefix('?') {
            Some(text) => (true, text),
            None => (false, *text),
        };
        let name = alloc::format!("p{index}");
        compiler.add("home", &name, dry_run, &spec(text)).unwrap();
    }
    compiler.finish()
}
