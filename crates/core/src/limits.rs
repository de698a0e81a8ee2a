//! Every bound on outside input, each with its reason.

use crate::json::Bounds;

/// Longest token in bytes: four times what large enterprise tokens measure, and what proxies commonly allow for all headers is 60 KiB.
pub const TOKEN_BYTES: usize = 16 * 1024;

/// Longest JOSE header in base64url characters: `alg`, `kid`, `typ` and ignored certificates fit.
pub const JOSE_HEADER_BYTES: usize = 4 * 1024;

/// Longest `kid` in bytes; thumbprints are 43, URLs rarely pass 200.
pub const KID_BYTES: usize = 256;

/// Longest SPIFFE ID in bytes (SPIFFE-ID §2.3).
pub const SPIFFE_ID_BYTES: usize = 2048;

/// Longest trust domain in bytes (SPIFFE-ID §2.3).
pub const TRUST_DOMAIN_BYTES: usize = 255;

/// Longest request target in bytes; common servers stop at 8 KiB.
pub const TARGET_BYTES: usize = 16 * 1024;

/// Most header lines of a request; Envoy's default is 100, its Wasm host's 1,024.
pub const HEADER_LINES: usize = 1024;

/// Bytes of all header lines of a request; Envoy's default is 60 KiB, its largest 96 KiB.
pub const HEADER_BYTES: usize = 128 * 1024;

/// Longest `X-Forwarded-Client-Cert` value in bytes: a few elements, none with a whole chain.
pub const XFCC_BYTES: usize = 8 * 1024;

/// Longest leaf certificate in bytes, DER; large ones in practice stay under 4 KiB.
pub const CERTIFICATE_BYTES: usize = 16 * 1024;

/// Longest leaf certificate in bytes, PEM: the longest DER in base64 (21,848) with its lines.
pub const CERTIFICATE_PEM_BYTES: usize = 24 * 1024;

/// Longest `host[:port]` in bytes: a host has at most 255 (RFC 1035 §2.3.4), a port five digits.
pub const AUTHORITY_BYTES: usize = 261;

/// Most keys of one set: rotations overlap by two or three, tenants by dozens.
pub const KEYS_PER_SET: usize = 64;

/// Longest JWKS in bytes; 64 RSA-4096 keys without certificates fit.
pub const JWKS_BYTES: usize = 64 * 1024;

/// Longest bundle in bytes; 10,000 ordinary rules fit.
pub const BUNDLE_BYTES: usize = 8 * 1024 * 1024;

/// Most rules of one bundle, over all policies.
pub const RULES: usize = 10_000;

/// Most rules of one AuthorizationPolicy (Istio's own limit), and most `from` and `to` entries of one rule.
pub const ENTRIES: usize = 512;

/// Most pairs of rules that are compared when findings are made: all pairs of 500 rules.
pub const RULE_PAIRS: usize = 250_000;

/// Most `serviceAccounts` of one source (Istio's own limit).
pub const SERVICE_ACCOUNTS: usize = 16;

/// Longest `namespace/account` in bytes (Istio's own limit): 63 and 253 with a slash, rounded.
pub const SERVICE_ACCOUNT_BYTES: usize = 320;

/// Most `{*}` and `{**}` of one path template (Envoy's own limit).
pub const TEMPLATE_OPERATORS: usize = 5;

/// Most ALLOW rules that are looked at to say which came nearest; a denial stays cheap.
pub const RULES_EXPLAINED: usize = 16;

/// Most signature checks for one token: one with a `kid`, this many without.
pub const SIGNATURE_CHECKS: usize = 4;

/// Shape of the JSON inside a token: real claims nest three or four deep.
pub const TOKEN_JSON: Bounds = Bounds { bytes: TOKEN_BYTES, depth: 32, members: 1024 };

/// Shape of a JWKS.
pub const JWKS_JSON: Bounds = Bounds { bytes: JWKS_BYTES, depth: 32, members: 1024 };

/// Shape of a bundle.
pub const BUNDLE_JSON: Bounds = Bounds { bytes: BUNDLE_BYTES, depth: 64, members: 65_536 };
