//! A small service behind Lychgate: `cargo run -- [ADDRESS] [BUNDLE]`.

use std::fs;
use std::net::SocketAddr;
use std::process::ExitCode;

use axum::Router;
use axum::extract::Path;
use axum::routing::get;
use http::HeaderMap;
use lychgate_example_tower::{Gate, Lychgate};
use tokio::net::TcpListener;

const BUNDLE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/bundle.json");

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let address = arguments.next().unwrap_or_else(|| "127.0.0.1:8080".to_owned());
    let bundle = arguments.next().unwrap_or_else(|| BUNDLE.to_owned());
    match serve(&address, &bundle).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(message) => {
            eprintln!("error: {message}");
            ExitCode::FAILURE
        }
    }
}

async fn serve(address: &str, bundle: &str) -> Result<(), String> {
    let text = fs::read(bundle).map_err(|error| format!("{bundle}: {error}"))?;
    let gate = Gate::load(&text).map_err(|error| format!("{bundle}: {error}"))?;
    for warning in gate.warnings() {
        eprintln!("warning: {warning}");
    }
    let revision = gate.revision().to_owned();
    let service = routes()
        .layer(Lychgate::new(gate, |record| println!("{record}")))
        .into_make_service_with_connect_info::<SocketAddr>();
    let listener = TcpListener::bind(address)
        .await
        .map_err(|error| format!("{address}: {error}; give another address"))?;
    let bound = listener.local_addr().map_err(|error| error.to_string())?;
    eprintln!("listening on http://{bound}, policy {revision}");
    axum::serve(listener, service)
        .with_graceful_shutdown(async { tokio::signal::ctrl_c().await.unwrap_or_default() })
        .await
        .map_err(|error| error.to_string())
}

/// The service itself knows nothing of tokens: it reads who is calling from a header that only
/// Lychgate can have set.
fn routes() -> Router {
    Router::new()
        .route("/healthz", get(async || "ok\n"))
        .route("/notes", get(notes).post(async |headers: HeaderMap| write(&headers)))
        .route("/notes/{id}", get(async |Path(id): Path<String>| format!("note {id}\n")))
}

async fn notes(headers: HeaderMap) -> String {
    format!("the notes of {}\n", caller(&headers))
}

fn write(headers: &HeaderMap) -> String {
    format!("written by {}\n", caller(headers))
}

fn caller(headers: &HeaderMap) -> &str {
    headers.get("x-lychgate-subject").and_then(|value| value.to_str().ok()).unwrap_or("nobody")
}
