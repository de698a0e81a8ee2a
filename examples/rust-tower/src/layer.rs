//! The layer: answers a refused request, passes an allowed one on.

use core::convert::Infallible;
use core::fmt;
use core::future::Future;
use core::hash::{BuildHasher, Hasher};
use core::pin::Pin;
use core::task::{Context, Poll};
use std::hash::RandomState;
use std::sync::Arc;

use axum::body::Body;
use axum::response::IntoResponse as _;
use http::{Request, Response, StatusCode};
use lychgate_core::decision::Decision;
use tower::{Layer, Service};

use crate::convert;
use crate::gate::{Gate, now};

/// Puts a [`Gate`] in front of a service.
#[derive(Clone)]
pub struct Lychgate {
    gate: Arc<Gate>,
    audit: Arc<dyn Fn(&str) + Send + Sync>,
}

impl Lychgate {
    /// A layer that hands every audit record, one JSON object in one line, to `audit`.
    pub fn new(gate: Gate, audit: impl Fn(&str) + Send + Sync + 'static) -> Self {
        Self { gate: Arc::new(gate), audit: Arc::new(audit) }
    }
}

impl fmt::Debug for Lychgate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lychgate").field("gate", &self.gate).finish_non_exhaustive()
    }
}

impl<S> Layer<S> for Lychgate {
    type Service = Guarded<S>;

    fn layer(&self, inner: S) -> Guarded<S> {
        Guarded { inner, lychgate: self.clone() }
    }
}

/// A service behind a gate.
#[derive(Debug, Clone)]
pub struct Guarded<S> {
    inner: S,
    lychgate: Lychgate,
}

impl<S> Service<Request<Body>> for Guarded<S>
where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible>,
    S::Future: Send + 'static,
{
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Response<Body>, Infallible>> + Send>>;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.inner.poll_ready(context)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        match self.lychgate.pass(request) {
            Ok(request) => Box::pin(self.inner.call(request)),
            Err(refusal) => Box::pin(core::future::ready(Ok(*refusal))),
        }
    }
}

impl Lychgate {
    /// The request as the service may see it, or the answer that it gets instead.
    fn pass(&self, request: Request<Body>) -> Result<Request<Body>, Box<Response<Body>>> {
        let (mut parts, body) = request.into_parts();
        let time = now();
        let decision = {
            let headers = convert::header_lines(&parts);
            self.gate.decide(&convert::request(&parts, &headers), time)
        };
        let correlation_id = correlation_id(&decision);
        (self.audit)(&decision.audit(time, &correlation_id));
        // Not the verdict: in shadow mode a denial is logged and does not refuse.
        if decision.refuses() {
            return Err(Box::new(convert::response(decision.reply(&correlation_id))));
        }
        match convert::apply(&decision.upstream(), &mut parts) {
            Ok(()) => Ok(Request::from_parts(parts, body)),
            // A header that can't be set must not be missing silently.
            Err(_) => Err(Box::new(StatusCode::SERVICE_UNAVAILABLE.into_response())),
        }
    }
}

/// The id that came with the request, or else a new one, which nobody can guess or choose.
fn correlation_id(decision: &Decision) -> String {
    decision.correlation_id().map_or_else(
        || {
            let random = || RandomState::new().build_hasher().finish();
            format!("{:016x}{:016x}", random(), random())
        },
        str::to_owned,
    )
}
