//! Questions: what is the same for all hosts.

use std::collections::BTreeMap;

use lychgate_harness::{HttpRequest, RequestSpec};

use crate::lab::Lab;
use crate::random::RandomRequest;

/// Requests that are decided under one bundle.
#[derive(Debug, Clone)]
pub struct Group {
    /// The bundle's text.
    pub bundle: String,
    /// The sets that its remote sources serve, by URI; a source that is not here never answers.
    pub keys: BTreeMap<String, String>,
    /// The time at which it is decided; none for the time of the run, which hosts without a clock
    /// that can be set have too.
    pub now: Option<i64>,
    /// Whether the host's crypto library can't answer.
    pub broken_verifier: bool,
    /// The requests.
    pub cases: Vec<Case>,
}

/// One request.
#[derive(Debug, Clone)]
pub struct Case {
    /// A name that no other case of the run has; without a correlation id of its own, the
    /// request's.
    pub name: String,
    /// The request, before its tokens are minted.
    pub source: Source,
    /// Whether real servers may refuse or rewrite it before any filter.
    pub direct: bool,
}

/// How a request is made.
#[derive(Debug, Clone)]
pub enum Source {
    /// As a vector says.
    Vector(Box<RequestSpec>),
    /// As a generator chose.
    Random(Box<RandomRequest>),
}

impl Case {
    /// The request, with tokens for that time and with its correlation id.
    #[must_use]
    pub fn request(&self, lab: &Lab, now: i64) -> HttpRequest {
        let mut request = match &self.source {
            Source::Vector(spec) => spec.http(lab.mint(now)),
            Source::Random(random) => random.http(lab, now),
        };
        if own_id(&request).is_none() {
            request.headers.push((b"x-request-id".to_vec(), self.name.clone().into_bytes()));
        }
        request
    }
}

/// The request's `x-request-id`.
#[must_use]
pub fn own_id(request: &HttpRequest) -> Option<String> {
    let mut lines = request.headers.iter();
    let line = lines.find(|(name, _)| name.eq_ignore_ascii_case(b"x-request-id"))?;
    Some(String::from_utf8_lossy(&line.1).into_owned())
}
