//! Bundles and requests for tests of the whole pipeline.

use alloc::format;
use alloc::string::{String, ToString as _};

use crate::authn::Keys;
use crate::decision::Decision;
use crate::engine::{Cache, Engine, Step};
use crate::jwt::testing::{AnyKey, SameByte, jwk, jwks, signed};
use crate::request::{Connection, HeaderLine, Lines, Request};
use crate::spiffe::{Peer, SpiffeId};
use crate::time::UnixTime;

pub(super) const NOW: UnixTime = UnixTime::from_seconds(1_000);

pub(super) const ISSUER: &str = "https://issuer.example";

/// A bundle for a sidecar in `production` with these settings and resources.
pub(super) fn bundle(settings: &str, resources: &[&str]) -> String {
    format!(
        r#"{{"apiVersion":"lychgate.dev/v1alpha1","kind":"Bundle",
        "workload":{{"kind":"sidecar","namespace":"production","labels":{{"app":"api"}}}},
        "settings":{settings},"resources":[{}]}}"#,
        resources.join(",")
    )
}

pub(super) fn resource(kind: &str, name: &str, spec: &str) -> String {
    format!(
        r#"{{"apiVersion":"security.istio.io/v1","kind":"{kind}",
        "metadata":{{"name":"{name}"}},"spec":{spec}}}"#
    )
}

pub(super) fn policy(spec: &str) -> String {
    resource("AuthorizationPolicy", "policy", spec)
}

/// A RequestAuthentication with one rule, whose key is made of the byte 7.
pub(super) fn jwt(members: &str) -> String {
    let keys = jwks(&[jwk(7, r#""kid":"a""#)]).replace('"', "\\\"");
    resource(
        "RequestAuthentication",
        "jwt",
        &format!(r#"{{"jwtRules":[{{"issuer":"{ISSUER}","jwks":"{keys}"{members}}}]}}"#),
    )
}

/// `Bearer` with a token of the issuer, which has these further claims.
pub(super) fn bearer(claims: &str) -> String {
    let claims = format!(r#"{{"iss":"{ISSUER}","sub":"alice","exp":2000{claims}}}"#);
    format!("Bearer {}", signed(Some("a"), &claims, 7))
}

pub(super) fn load(bundle: &str) -> Engine {
    Engine::load(bundle.as_bytes(), &AnyKey).unwrap_or_else(|error| panic!("{error}"))
}

/// The pointer and the text of the error with which a bundle is refused.
pub(super) fn refusal(bundle: &str) -> (String, String) {
    match Engine::load(bundle.as_bytes(), &AnyKey) {
        Ok(_) => panic!("loads: {bundle}"),
        Err(error) => (error.pointer().to_string(), error.to_string()),
    }
}

/// What a test says about a request.
#[derive(Clone, Copy)]
pub(super) struct Call<'a> {
    pub(super) method: &'a str,
    pub(super) target: &'a str,
    pub(super) headers: &'a [(&'a str, &'a str)],
    pub(super) peer: Option<&'a str>,
    pub(super) port: Option<u16>,
}

pub(super) const GET: Call<'static> =
    Call { method: "GET", target: "/", headers: &[], peer: None, port: None };

impl Call<'_> {
    pub(super) fn with<T>(&self, look: impl FnOnce(&Request<'_>) -> T) -> T {
        let headers: alloc::vec::Vec<_> = self
            .headers
            .iter()
            .map(|(name, value)| HeaderLine { name: name.as_bytes(), value: value.as_bytes() })
            .collect();
        let peer = match self.peer {
            None => Peer::Absent,
            Some("") => Peer::unverified(),
            Some(id) => Peer::Verified(SpiffeId::parse(id.as_bytes()).unwrap()),
        };
        look(&Request {
            method: self.method.as_bytes(),
            target: self.target.as_bytes(),
            authority: Some(b"api.example"),
            headers: &headers,
            lines: Lines::Separate,
            peer: &peer,
            connection: Connection { destination_port: self.port, ..Connection::default() },
            metadata: &[],
        })
    }

    pub(super) fn begin(&self, engine: &Engine, keys: &Keys) -> Step {
        self.with(|request| engine.begin(request, NOW, keys, &mut Cache::default()))
    }

    pub(super) fn decide(&self, engine: &Engine) -> Decision {
        self.decide_with(engine, &mut Cache::default())
    }

    pub(super) fn decide_with(&self, engine: &Engine, cache: &mut Cache) -> Decision {
        let keys = Keys::new(engine.key_sources(), 1);
        self.with(|request| engine.decide(request, NOW, &keys, cache, &SameByte))
    }

    /// The code of the reason.
    pub(super) fn reason(&self, engine: &Engine) -> &'static str {
        self.decide(engine).reason().code()
    }
}
