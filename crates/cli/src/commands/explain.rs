//! `lychgate explain`: why a request gets its verdict.

use core::net::IpAddr;
use std::collections::BTreeSet;
use std::path::PathBuf;

use clap::{Args, ValueEnum};
use lychgate_core::time::UnixTime;

use super::token::Claim;
use crate::arguments::{Pair, WorkloadOptions};
use crate::clock;
use crate::error::{CliError, Problem};
use crate::explain::{self, curl, record, report};
use crate::input;
use crate::output;
use crate::scenario::{
    Algorithm, KeyRing, MintedToken, PeerSpec, RequestSpec, Scenario, Time, TokenPlace, TokenSpec,
};
use crate::shape::{Json, Map, OneOrMany, Shape as _, record};
use crate::subject::{self, Subject};
use crate::terminal::Colour;

const EXAMPLES: &str = "\
Examples:
  lychgate explain policies --namespace shop --label app=pay \\
    --method POST --path /charge --peer cluster.local/ns/shop/sa/cart --claim scope=pay
  lychgate explain policies --namespace shop --curl \"curl -X POST https://pay/charge -H 'x-a: b'\"
  lychgate explain bundle.json --request request.yaml --format json
  kubectl logs deploy/pay -c istio-proxy | grep '\"verdict\":\"deny\"' | tail -1 |
    lychgate explain bundle.json --record -

Without --token a token is made from --claim, with a throw-away key that the policy is given for it.
A request file holds request, peer, token and time, as a test does. Of an audit record, what it does
not say is shown as unknown.

Exit codes: 0 explained, 1 a file can't be read or the policy is refused, 2 wrong usage.";

/// Options of `explain`.
#[derive(Debug, Args)]
#[command(after_help = EXAMPLES)]
pub(crate) struct Options {
    /// One compiled bundle; or policy files, folders of them
    #[arg(required = true, value_name = "BUNDLE|PATHS")]
    paths: Vec<PathBuf>,
    #[command(flatten)]
    workload: WorkloadOptions,
    #[command(flatten)]
    request: RequestOptions,
    /// A curl command line, pasted as it is
    #[arg(long, value_name = "LINE", conflicts_with_all = ["method", "path", "host", "headers", "file", "record"])]
    curl: Option<String>,
    /// A file with request, peer, token and time, as in a test
    #[arg(long = "request", value_name = "FILE", conflicts_with_all = ["method", "path", "host", "headers", "record"])]
    file: Option<PathBuf>,
    /// A file with one audit record, or - for standard input
    #[arg(long, value_name = "FILE", conflicts_with_all = ["method", "path", "host", "headers", "peer", "token", "claims"])]
    record: Option<PathBuf>,
    /// The key set of a remote issuer; may be repeated
    #[arg(long, value_name = "URI=FILE")]
    jwks: Vec<Pair>,
    /// Show every rule
    #[arg(long)]
    all: bool,
    /// How to report
    #[arg(long, value_enum, default_value_t = Format::Tree)]
    format: Format,
    /// Colours in the report
    #[arg(long, value_enum, default_value_t = Colour::Auto)]
    color: Colour,
}

/// The parts of a request.
#[derive(Debug, Args)]
struct RequestOptions {
    /// Method
    #[arg(long)]
    method: Option<String>,
    /// Path, with the query
    #[arg(long)]
    path: Option<String>,
    /// Authority
    #[arg(long)]
    host: Option<String>,
    /// Header line; may be repeated
    #[arg(long = "header", value_name = "NAME: VALUE")]
    headers: Vec<String>,
    /// Port that the peer connected to
    #[arg(long)]
    port: Option<u16>,
    /// Address of the physical peer
    #[arg(long, value_name = "IP")]
    source_ip: Option<IpAddr>,
    /// Address of the client behind trusted proxies
    #[arg(long, value_name = "IP")]
    remote_ip: Option<IpAddr>,
    /// Verified peer: a SPIFFE ID, none, or unverified
    #[arg(long, value_name = "ID", value_parser = PeerSpec::parse)]
    peer: Option<PeerSpec>,
    /// Token, as it is
    #[arg(long, conflicts_with = "claims")]
    token: Option<String>,
    /// Claim of a token to make: a JSON value or a word; may be repeated
    #[arg(long = "claim", value_name = "NAME=VALUE")]
    claims: Vec<Claim>,
    /// When the request comes, as in 2026-11-22T12:00:00Z; now if absent
    #[arg(long)]
    time: Option<Time>,
}

record! {
    /// A request with its caller and its time.
    struct RequestFile {
        /// The request.
        request: Option<RequestSpec> = optional "request",
        /// The verified peer.
        peer: Option<PeerSpec> = optional "peer",
        /// The token.
        token: Option<TokenSpec> = optional "token",
        /// When it comes.
        time: Option<Time> = optional "time",
    }
}

/// How an explanation is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// A tree, for people
    Tree,
    /// JSON
    Json,
}

/// Explains.
pub(crate) fn run(options: &Options) -> Result<(), CliError> {
    let asked = asked(options)?;
    let mut subject = load(options, &asked)?;
    let style = options.color.style(&std::io::stdout());
    if let Some(path) = &options.record {
        let text = input::read_text(path, 64 * 1024)?;
        let recorded = record::explain(&mut subject, &text)
            .map_err(|message| CliError::Refused { message })?;
        return output::answer(&match options.format {
            Format::Tree => report::recorded(&recorded, style, options.all),
            Format::Json => report::recorded_json(&recorded),
        });
    }
    let scenario = scenario(&asked, &mut subject)?;
    let explanation = explain::explain(&mut subject, &scenario);
    output::answer(&match options.format {
        Format::Tree => report::tree(&explanation, style, options.all),
        Format::Json => report::json(&explanation, scenario.now),
    })
}

/// What was asked about, from wherever it came.
fn asked(options: &Options) -> Result<RequestFile, CliError> {
    if let Some(path) = &options.file {
        let file = input::read_one(path)?;
        let mut documents = input::documents(&file)?;
        let (Some(document), true) = (documents.pop(), documents.is_empty()) else {
            let message = format!("{}: one document is needed", path.display());
            return Err(CliError::Refused { message });
        };
        return RequestFile::read(&document.root).map_err(|error| error.in_place(&document.place));
    }
    let given = &options.request;
    let mut request = RequestSpec {
        method: given.method.clone(),
        path: given.path.clone(),
        host: given.host.clone(),
        headers: headers(&given.headers)?,
        port: given.port,
        source_ip: given.source_ip,
        remote_ip: given.remote_ip,
        ..RequestSpec::default()
    };
    if let Some(line) = &options.curl {
        let read = curl::parse(line).map_err(|message| CliError::Usage { message })?;
        if read.certificate && given.peer.is_none() {
            output::note(
                "the command line does not say whose certificate it presents; give --peer",
            );
        }
        request.method = Some(read.method);
        request.host = Some(read.host);
        request.path = Some(read.target);
        let lines = read.headers.into_iter().map(|(name, value)| (name, OneOrMany(vec![value])));
        request.headers = Map(lines.collect());
    }
    let claims = given.claims.iter();
    let claims = claims.map(|claim| (claim.name.clone(), Json(claim.value.clone())));
    let minted = MintedToken { claims: Map(claims.collect()), ..MintedToken::default() };
    let token = match &given.token {
        Some(token) => Some(TokenSpec::Literal(token.clone())),
        None if given.claims.is_empty() => None,
        None => Some(TokenSpec::Minted(Box::new(minted))),
    };
    Ok(RequestFile { request: Some(request), peer: given.peer.clone(), token, time: given.time })
}

fn headers(lines: &[String]) -> Result<Map<OneOrMany>, CliError> {
    let read = |line: &String| {
        let (name, value) = line.split_once(':').ok_or_else(|| CliError::Usage {
            message: format!("--header {line:?}: NAME: VALUE is needed"),
        })?;
        Ok((name.trim().to_owned(), OneOrMany(vec![value.trim().to_owned()])))
    };
    lines.iter().map(read).collect::<Result<_, _>>().map(Map)
}

fn load(options: &Options, asked: &RequestFile) -> Result<Subject, CliError> {
    let settings = options.workload.settings.as_deref().map(crate::bundle::read_settings);
    let bundle = subject::read_bundle(&options.paths, &options.workload, settings.transpose()?)?;
    let algorithms: BTreeSet<Algorithm> = match &asked.token {
        Some(TokenSpec::Minted(token)) => match token.algorithm {
            Some(algorithm) => [algorithm].into(),
            None => KeyRing::DEFAULT.into(),
        },
        _ => BTreeSet::new(),
    };
    Subject::new(bundle, &algorithms, &subject::read_sets(&options.jwks)?)
}

fn scenario(asked: &RequestFile, subject: &mut Subject) -> Result<Scenario, CliError> {
    let clock = u64::try_from(clock::now()).unwrap_or_default();
    let now = asked.time.map_or(UnixTime::from_seconds(clock), |time| time.0);
    let request = asked.request.clone().unwrap_or_default();
    let peer = asked.peer.clone().map_or(lychgate_core::spiffe::Peer::Absent, |peer| peer.0);
    let mut scenario = Scenario::new(&request, peer, now);
    let carried: Option<(String, Option<&TokenPlace>)> = match &asked.token {
        None | Some(TokenSpec::None) => None,
        Some(TokenSpec::Literal(token)) => Some((token.clone(), None)),
        Some(TokenSpec::Named(name)) => {
            let message = format!("there is no token {name:?} here: write it out");
            let place = crate::input::Place::unwritten("the request");
            return Err(CliError::input(place, Problem::Shape(message)));
        }
        Some(TokenSpec::Minted(spec)) => {
            let token = subject.ring.mint(spec, now);
            let token = token.map_err(|error| CliError::Token { message: error.0 })?;
            Some((token, spec.place.as_ref()))
        }
    };
    if let Some((token, place)) = carried {
        scenario.carry(&token, place);
    }
    Ok(scenario)
}
