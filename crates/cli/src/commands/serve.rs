//! `lychgate serve`: a local decision endpoint.

use core::net::SocketAddr;
use std::net::TcpListener;
use std::path::PathBuf;

use clap::Args;

use crate::arguments::{Pair, WorkloadOptions};
use crate::error::CliError;
use crate::output;
use crate::scenario::KeyRing;
use crate::serve;
use crate::subject::{self, Subject};

const EXAMPLES: &str = "\
Examples:
  lychgate serve policies --namespace shop --label app=pay
  curl -s http://127.0.0.1:8181/access/v1/evaluation -d '{
    \"subject\": {\"type\": \"user\", \"id\": \"alice\", \"properties\": {\"aud\": \"pay\"}},
    \"action\": {\"name\": \"GET\"}, \"resource\": {\"type\": \"route\", \"id\": \"/orders\"}}'

Endpoints:
  POST /access/v1/evaluation       OpenID AuthZEN 1.0
  POST /access/v1/evaluations      the same for several questions
  ANY  /ext-authz/...              Envoy's ext_authz HTTP service, with path_prefix: /ext-authz
  GET  /.well-known/authzen-configuration, /healthz

For tests and development: it believes whoever asks about the subject, so it listens on the loopback
interface only.";

/// Options of `serve`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// One compiled bundle; or policy files, folders of them
    #[arg(required = true, value_name = "BUNDLE|PATHS")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    workload: WorkloadOptions,
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8181")]
    listen: SocketAddr,
    /// Listen on an address that others can reach
    #[arg(long)]
    allow_remote: bool,
    /// The key set of a remote issuer; may be repeated
    #[arg(long, value_name = "URI=FILE")]
    jwks: Vec<Pair>,
}

/// Serves until it is stopped.
pub(crate) fn run(options: &Options) -> Result<(), CliError> {
    if !options.listen.ip().is_loopback() && !options.allow_remote {
        let message = format!("{} can be reached by others: --allow-remote", options.listen);
        return Err(CliError::Usage { message });
    }
    let settings = options.workload.settings.as_deref().map(crate::bundle::read_settings);
    let bundle = subject::read_bundle(&options.paths, &options.workload, settings.transpose()?)?;
    let sets = subject::read_sets(&options.jwks)?;
    let mut subject = Subject::new(bundle, &KeyRing::DEFAULT.into(), &sets)?;
    let failed =
        |error: std::io::Error| CliError::Listen { address: options.listen.to_string(), error };
    let listener = TcpListener::bind(options.listen).map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    output::answer(&format!("listening on http://{address}\n"))?;
    serve::serve(listener, &mut subject).map_err(failed)
}
