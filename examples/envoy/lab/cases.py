"""The requests of the demo, each with what must come of it."""

from dataclasses import dataclass, field

from .credentials import SSO

PLAINTEXT = "plaintext"

# What some hosts do otherwise than Envoy as it is set up here.
UNVERIFIED = "its TLS asks for a certificate and refuses none; Lychgate refuses what was not verified"
DECODED = "its headers are text: the application can't be handed a byte that is not UTF-8"
RAW_PATH = "it hands paths on as they came; Lychgate refuses dot segments that nobody has resolved"

FORGED_XFCC = "By=spiffe://cluster.local/ns/a/sa/b;URI=spiffe://cluster.local/ns/production/sa/order-service"


@dataclass
class Case:
    """One request. `peer` names a certificate, or is None (TLS without one) or PLAINTEXT."""

    method: str
    path: str
    peer: str | None
    # What else came with it, in words.
    carries: str
    # None where TLS refuses the connection.
    status: int | None
    reason: str
    token: str | None = None
    headers: list[tuple[str, bytes]] = field(default_factory=list)
    # What must have reached the application: a value, or None for a header that must not.
    upstream: dict[str, str | None] = field(default_factory=dict)
    # What must come of it instead where a host does otherwise.
    where: dict[str, dict] = field(default_factory=dict)

    def head(self, request_id):
        lines = [
            f"{self.method} {self.path} HTTP/1.1".encode(),
            b"host: demo.internal",
            b"x-request-id: " + request_id.encode(),
        ]
        if self.token is not None:
            lines.append(b"authorization: Bearer " + self.token.encode())
        lines += [name.encode() + b": " + value for name, value in self.headers]
        return b"".join(line + b"\r\n" for line in lines)


def payment_processor(credentials):
    """CASES 1 and 4: the caller's certificate and the user's token, both."""
    mint = credentials.token
    good = mint()

    def charge(carries, status, reason, token=good, peer="api-gateway", method="POST", path="/charge", **more):
        return Case(method, path, peer, carries, status, reason, token, **more)

    return [
        charge("good token", 200, "allowed_by_rule", upstream={
            "x-lychgate-subject": "alice",
            "x-lychgate-issuer": "auth-service.internal",
            "x-lychgate-peer": "spiffe://cluster.local/ns/api-gateway/sa/api-gateway-sa",
            "authorization": None,
        }),
        charge("good token, other issuer", 200, "allowed_by_rule", mint(key="sso", issuer=SSO, subject="bob"), path="/refund"),
        charge("no token", 401, "credential_missing", None),
        charge("expired token", 401, "token_expired", mint(expires="-10m")),
        charge("token for another API", 403, "audience_mismatch", mint(audience="account-api")),
        charge("token of an unknown key", 401, "key_unknown", mint(key="unpublished")),
        charge("token, forged signature", 401, "signature_invalid", mint(key="rogue")),
        charge("token of an unknown issuer", 401, "issuer_unknown", mint(issuer="auth-service.evil")),
        charge("alg: none, no signature", 401, "token_malformed", credentials.unsigned_token(keep_signature=False)),
        charge("alg: none, some signature", 401, "algorithm_refused", credentials.unsigned_token(keep_signature=True)),
        charge("token, HS256 by public key", 401, "algorithm_refused", credentials.confused_token()),
        charge("token, scope payments:read", 403, "scope_missing", mint(scope="payments:read")),
        charge("good token", 403, "no_rule_matched", peer="order-service"),
        charge("good token", 403, "no_rule_matched", method="GET"),
        charge("good token", 403, "peer_required", peer=None),
        charge("good token", 403, "peer_required", peer=PLAINTEXT),
        charge("two Authorization headers", 401, "credential_multiple", headers=[("authorization", b"Bearer e30.e30.AA")]),
        charge("good token, 0xFF in a header", 200, "allowed_by_rule", headers=[("x-note", b"caf\xff")], upstream={"x-note": "caf\xff"}, where={
            DECODED: {"upstream": {"x-note": "caf\ufffd"}},
        }),
    ]


def payment_service(_):
    """CASES 2 and 5: certificates alone, and paths that try to be others."""

    def pay(carries, status, reason, peer="order-service", method="POST", path="/api/v1/payments/42", **more):
        return Case(method, path, peer, carries, status, reason, **more)

    xfcc = ("x-forwarded-client-cert", FORGED_XFCC.encode())
    unresolved = {RAW_PATH: {"status": 400, "reason": "path_ambiguous"}}
    return [
        pay("", 200, "allowed_by_rule"),
        pay("", 200, "allowed_by_rule", "checkout-service"),
        pay("", 200, "allowed_by_rule", "prometheus", "GET", "/metrics"),
        pay("", 403, "no_rule_matched", "prometheus"),
        pay("", 403, "no_rule_matched", method="GET", path="/metrics"),
        pay("", 403, "no_rule_matched", method="DELETE"),
        pay("order-service of ns staging", 403, "no_rule_matched", "staging-orders"),
        pay("", 403, "peer_required", PLAINTEXT),
        pay("forged XFCC of order-service", 403, "peer_required", PLAINTEXT, headers=[xfcc]),
        pay("forged XFCC, X-Internal-User", 403, "no_rule_matched", "batch-job", headers=[xfcc, ("x-internal-user", b"admin")]),
        pay("forged XFCC, x-lychgate-peer", 200, "allowed_by_rule",
            headers=[xfcc, ("x-lychgate-peer", b"spiffe://cluster.local/admin")],
            upstream={
                "x-lychgate-peer": "spiffe://cluster.local/ns/production/sa/order-service",
            }),
        pay("dot segments", 403, "no_rule_matched", path="/api/v1/payments/../admin", where=unresolved),
        pay("encoded dot segments", 403, "no_rule_matched", path="/api/v1/payments/%2e%2e/admin", where=unresolved),
        pay("doubled slash", 400, "path_ambiguous", path="/api/v1/payments//admin"),
        pay("encoded slash", 400, "path_ambiguous", path="/api/v1/payments/..%2fadmin"),
        pay("encoded twice", 400, "path_ambiguous", path="/api/v1/payments/%252e%252e"),
        pay("certificate of another CA", None, "refused by TLS", "stranger", where={
            UNVERIFIED: {"status": 403, "reason": "peer_malformed"},
        }),
        pay("certificate with two IDs", 403, "peer_malformed", "two-names"),
    ]


def account_api(credentials):
    """CASE 9: identity headers come from what was verified, never from the client."""
    token = credentials.token(audience="account-api", scope=None)

    def account(carries, status, reason, path="/me", token=token, **more):
        return Case("GET", path, None, carries, status, reason, token, **more)

    forged = [("X-Internal-User", b"admin"), ("x-lychgate-subject", b"admin"), ("X-Lychgate-Issuer", b"root")]
    return [
        account("good token, forged identity", 200, "allowed_by_rule", headers=forged, upstream={
            "x-internal-user": "alice",
            "x-lychgate-subject": "alice",
            "x-lychgate-issuer": "auth-service.internal",
        }),
        account("X-Internal-User: admin", 401, "credential_missing", token=None, headers=forged),
        account("good token", 403, "denied_by_rule", path="/internal/debug"),
    ]


GROUPS = [
    ("payment-processor: the api-gateway may charge and refund, with scope payments:write", "payment-processor", payment_processor),
    ("payment-service: order and checkout may pay, prometheus may read metrics", "payment-service", payment_service),
    ("account-api: any user, identity handed on as headers", "account-api", account_api),
]
