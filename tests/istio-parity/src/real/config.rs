//! The two listeners of a set of policies.

use lychgate_tests_envoy::config::{listener_filter, typed};
use lychgate_tests_envoy::{Filter, Listener, Route};
use serde_json::{Value, json};

use super::{Identities, Place};
use crate::keys;
use crate::parity::Spelling;
use crate::rbac::PeerForm;
use crate::translate::{self, Options, jwt_authn};

/// The header with the name that a waypoint's tunnel would have verified.
pub(super) const PEER: &str = "x-harness-peer";

/// The header with the metadata that another filter would have set.
pub(super) const METADATA: &str = "x-harness-metadata";

/// Answers with all header lines, as an application would receive them.
const ECHO: &str = "function envoy_on_request(handle)
  local lines = {}
  for name, value in pairs(handle:headers()) do
    lines[#lines + 1] = name .. ': ' .. value
  end
  handle:respond({[':status'] = '200'}, table.concat(lines, '\\n'))
end";

/// The names of the listeners: Istio's, then Lychgate's.
pub(super) fn names(index: usize) -> [String; 2] {
    [format!("istio-{index}"), format!("lychgate-{index}")]
}

pub(super) fn pair(index: usize, place: &Place, identities: &Identities) -> [Listener; 2] {
    let [native, ours] = names(index);
    let bundle = Filter::Lychgate(place.setup.bundle());
    [
        listener(native, place, true, istio(place), identities),
        listener(ours, place, place.spelling == Spelling::Normal, vec![bundle], identities),
    ]
}

/// `jwt_authn` and RBAC, as translated.
fn istio(place: &Place) -> Vec<Filter> {
    let setup = &place.setup;
    let keys = keys::signer(&setup.key).key_set();
    let trust_domains = setup.trust_domains.clone();
    let options = Options { trust_domains, peer: setup.peers, ..Options::default() };
    let rbac = translate::filters(&setup.policies, &options).expect("resources that Istio accepts");
    let authentication = jwt_authn(&setup.rules_with(Some(keys))).into_iter();
    authentication.chain(rbac.iter().map(crate::rbac::Filter::to_json)).map(Filter::Other).collect()
}

/// What both listeners have in common, around the filters that are judged.
fn listener(
    name: String,
    place: &Place,
    normalises: bool,
    judged: Vec<Filter>,
    identities: &Identities,
) -> Listener {
    let certificate = place.setup.peers == PeerForm::Certificate;
    let mut filters = surroundings(certificate);
    filters.extend(judged);
    let echo = json!({ "default_source_code": { "inline_string": ECHO } });
    filters.push(Filter::Other(typed("echo", "http.lua.v3.Lua", echo)));
    let mut listener = Listener {
        filters,
        route: Route::Direct,
        listener_filters: vec![listener_filter(
            "proxy_protocol",
            "proxy_protocol.v3.ProxyProtocol",
        )],
        manager: json!({
            "normalize_path": normalises,
            "generate_request_id": false,
            "use_remote_address": true,
            "xff_num_trusted_hops": u8::from(place.setup.forwarded),
            "skip_xff_append": true,
        }),
        ..Listener::lychgate(&name, &Value::Null)
    };
    if certificate {
        listener.transport = identities.transport();
        // Only this filter tells Envoy which server name was asked for.
        let inspector = listener_filter("tls_inspector", "tls_inspector.v3.TlsInspector");
        listener.listener_filters.push(inspector);
    }
    listener
}

/// The filters that say what else a mesh would know of the request.
fn surroundings(certificate: bool) -> Vec<Filter> {
    let to_metadata = json!({ "request_rules": [{
        "header": METADATA,
        "remove": true,
        "on_header_present": {
            "metadata_namespace": "envoy.filters.a.b",
            "key": "c",
            "type": "PROTOBUF_VALUE",
            "encode": "BASE64",
        },
    }] });
    let mut filters = vec![typed("metadata", "http.header_to_metadata.v3.Config", to_metadata)];
    if !certificate {
        let peer = json!({ "on_request_headers": [{
            "object_key": "io.istio.peer_principal",
            "factory_key": "envoy.string",
            "format_string": {
                "text_format_source": { "inline_string": format!("%REQ({PEER})%") },
                "omit_empty_values": true,
            },
            "skip_if_empty": true,
        }] });
        filters.push(typed("peer", "http.set_filter_state.v3.Config", peer));
        let remove = json!({ "mutations": { "request_mutations": [{ "remove": PEER }] } });
        filters.push(typed("remove", "http.header_mutation.v3.HeaderMutation", remove));
    }
    filters.into_iter().map(Filter::Other).collect()
}
