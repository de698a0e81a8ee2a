//! The module itself: what it imports and exports, and how large it is.

use std::collections::BTreeSet;

use lychgate_tests_envoy::wasm;
use wasmparser::{Parser, Payload};

/// Functions of the proxy-wasm ABI 0.2.1; the SDK links those of its traits whether they are called or not.
const ABI: &[&str] = &[
    "proxy_add_header_map_value",
    "proxy_call_foreign_function",
    "proxy_close_stream",
    "proxy_continue_stream",
    "proxy_define_metric",
    "proxy_dequeue_shared_queue",
    "proxy_done",
    "proxy_get_buffer_bytes",
    "proxy_get_current_time_nanoseconds",
    "proxy_get_header_map_pairs",
    "proxy_get_header_map_value",
    "proxy_get_log_level",
    "proxy_get_property",
    "proxy_get_shared_data",
    "proxy_get_status",
    "proxy_grpc_cancel",
    "proxy_grpc_close",
    "proxy_grpc_send",
    "proxy_http_call",
    "proxy_increment_metric",
    "proxy_log",
    "proxy_register_shared_queue",
    "proxy_remove_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_send_local_response",
    "proxy_set_buffer_bytes",
    "proxy_set_effective_context",
    "proxy_set_header_map_pairs",
    "proxy_set_property",
    "proxy_set_shared_data",
    "proxy_set_tick_period_milliseconds",
];

/// The WASI calls that the Rust library makes and Envoy provides: random seeds for hash maps, and
/// what it needs to start and to print a panic.
const WASI: &[&str] = &["environ_get", "environ_sizes_get", "fd_write", "proc_exit", "random_get"];

/// What Envoy calls: it enters the module once for each of these that concerns a request.
const CALLBACKS: &[&str] = &[
    "_initialize",
    "memory",
    "proxy_abi_version_0_2_1",
    "proxy_on_configure",
    "proxy_on_context_create",
    "proxy_on_delete",
    "proxy_on_http_call_response",
    "proxy_on_memory_allocate",
    "proxy_on_request_headers",
    "proxy_on_tick",
    "proxy_on_vm_start",
];

/// The largest size that a proxy fetches and compiles without anybody noticing, in bytes.
const LIMIT: usize = 600 * 1000;

#[test]
fn the_filter_imports_the_proxy_wasm_abi_and_nothing_else() {
    let module = std::fs::read(wasm::filter()).unwrap();
    let mut imports = BTreeSet::new();
    for payload in Parser::new(0).parse_all(&module) {
        if let Payload::ImportSection(section) = payload.unwrap() {
            for import in section.into_imports() {
                let import = import.unwrap();
                imports.insert((import.module.to_owned(), import.name.to_owned()));
            }
        }
    }
    let expect = |module: &str, names: &[&str]| {
        let pair = |name: &&str| (module.to_owned(), (*name).to_owned());
        names.iter().map(pair).collect::<Vec<_>>()
    };
    let expected: BTreeSet<_> =
        [expect("env", ABI), expect("wasi_snapshot_preview1", WASI)].concat().into_iter().collect();
    assert_eq!(imports, expected);
}

#[test]
fn the_filter_is_called_for_nothing_that_it_ignores() {
    let module = std::fs::read(wasm::filter()).unwrap();
    let mut exports = BTreeSet::new();
    for payload in Parser::new(0).parse_all(&module) {
        if let Payload::ExportSection(section) = payload.unwrap() {
            exports.extend(section.into_iter().map(|export| export.unwrap().name.to_owned()));
        }
    }
    assert_eq!(exports, CALLBACKS.iter().map(|name| (*name).to_owned()).collect());
}

#[test]
fn the_filter_is_small() {
    let size = std::fs::metadata(wasm::filter()).unwrap().len();
    println!("the filter has {size} bytes");
    assert!(size <= LIMIT as u64, "{size}");
}
