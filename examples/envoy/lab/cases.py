"""The requests of the demo, each with what must come of it."""

from dataclasses import dataclass, field

from .credentials import SSO

PLAINTEXT = "plaintext"
FORGED_XFCC = "By=spiffe://cluster.local/ns/a/sa/b;URI=spiffe://cluster.local/ns/production/sa/order-service"


@dataclass
class Case:
    """One request. `peer` names a certificate, or is None (TLS without one) or PLAINTEXT."""

    says: str
    peer: str | None
    method: str
    path: str
    status: int | None
    reason: str
    token: str | None = None
    token_says: str = ""
    headers: list[tuple[str, bytes]] = field(default_factory=list)
    # What must have reached the application: a value, or None for a header that must not.
    upstream: dict[str, str | None] = field(default_factory=dict)

    def who(self):
        peer = self.peer or "no certificate"
        return f"{peer}, {self.token_says}" if self.token_says else peer

    def head(self, request_id):
        lines = [
            (b":", f"{self.method} {self.path} HTTP/1.1".encode()),
            (b"host", b"demo.internal"),
            (b"x-request-id", request_id.encode()),
        ]
        if self.token is not None:
            lines.append((b"authorization", b"Bearer " + self.token.encode()))
        lines += [(name.encode(), value) for name, value in self.headers]
        return b"".join(value + b"\r\n" if name == b":" else name + b": " + value + b"\r\n" for name, value in lines)


def payment_processor(credentials):
    """CASES 1 and 4: the caller's certificate and the user's token, both."""
    good = credentials.token()

    def charge(says, status, reason, token=good, token_says="good token", peer="api-gateway", method="POST", path="/charge", **more):
        return Case(says, peer, method, path, status, reason, token, token_says, **more)

    mint = credentials.token
    return [
        charge("charge", 200, "allowed_by_rule", upstream={
            "x-lychgate-subject": "alice",
            "x-lychgate-issuer": "auth-service.internal",
            "x-lychgate-peer": "spiffe://cluster.local/ns/api-gateway/sa/api-gateway-sa",
            "authorization": None,
        }),
        charge("refund, by the other issuer's user", 200, "allowed_by_rule",
               mint(key="sso", issuer=SSO, subject="bob"), "SSO token", path="/refund"),
        charge("charge", 401, "credential_missing", None, "no token"),
        charge("charge", 401, "token_expired", mint(expires="-10m"), "expired token"),
        charge("charge", 403, "audience_mismatch", mint(audience="account-api"), "token for another API"),
        charge("charge", 401, "key_unknown", mint(key="unpublished"), "unknown key"),
        charge("charge", 401, "signature_invalid", mint(key="rogue"), "forged signature"),
        charge("charge", 401, "issuer_unknown", mint(issuer="auth-service.evil"), "unknown issuer"),
        charge("charge", 401, "algorithm_refused", credentials.unsigned_token(), "alg: none"),
        charge("charge", 401, "algorithm_refused", credentials.confused_token(), "HS256 by public key"),
        charge("charge", 403, "scope_missing", mint(scope="payments:read"), "scope payments:read"),
        charge("charge", 403, "no_rule_matched", peer="order-service"),
        charge("read a charge", 403, "no_rule_matched", method="GET"),
        charge("charge", 403, "peer_required", peer=None),
        charge("charge", 403, "peer_required", peer=PLAINTEXT),
        charge("charge, two Authorization headers", 401, "credential_multiple", token_says="good and bad token",
               headers=[("authorization", b"Bearer e30.e30.AA")]),
        charge("charge, a 0xFF byte in a header", 200, "allowed_by_rule", headers=[("x-note", b"caf\xff")]),
    ]


def payment_service(_):
    """CASES 2 and 5: certificates alone, and paths that try to be others."""

    def pay(says, status, reason, peer="order-service", method="POST", path="/api/v1/payments/42", **more):
        return Case(says, peer, method, path, status, reason, **more)

    return [
        pay("pay", 200, "allowed_by_rule"),
        pay("pay", 200, "allowed_by_rule", "checkout-service"),
        pay("read metrics", 200, "allowed_by_rule", "prometheus", "GET", "/metrics"),
        pay("pay", 403, "no_rule_matched", "prometheus"),
        pay("read metrics", 403, "no_rule_matched", method="GET", path="/metrics"),
        pay("delete a payment", 403, "no_rule_matched", method="DELETE"),
        pay("pay, from namespace staging", 403, "no_rule_matched", "staging-orders"),
        pay("pay", 403, "peer_required", PLAINTEXT),
        pay("pay, forged XFCC of order-service", 403, "peer_required", PLAINTEXT,
            headers=[("x-forwarded-client-cert", FORGED_XFCC.encode())]),
        pay("pay, X-Internal-User: admin, forged XFCC", 403, "no_rule_matched", "batch-job", headers=[
            ("x-internal-user", b"admin"), ("x-forwarded-client-cert", FORGED_XFCC.encode())]),
        pay("pay, forged XFCC and x-lychgate-peer", 200, "allowed_by_rule", headers=[
            ("x-forwarded-client-cert", FORGED_XFCC.encode()), ("x-lychgate-peer", b"spiffe://cluster.local/admin")],
            upstream={
                "x-forwarded-client-cert": None,
                "x-lychgate-peer": "spiffe://cluster.local/ns/production/sa/order-service",
            }),
        pay("a path with /../", 403, "no_rule_matched", path="/api/v1/payments/../admin"),
        pay("a path with /%2e%2e/", 403, "no_rule_matched", path="/api/v1/payments/%2e%2e/admin"),
        pay("a path with //", 400, "path_ambiguous", path="/api/v1/payments//admin"),
        pay("a path with an encoded slash", 400, "path_ambiguous", path="/api/v1/payments/..%2fadmin"),
        pay("a path, encoded twice", 400, "path_ambiguous", path="/api/v1/payments/%252e%252e/admin"),
        pay("pay, certificate of another authority", None, "refused by TLS", "stranger"),
        pay("pay, certificate with two SPIFFE IDs", 403, "peer_malformed", "two-names"),
    ]


def account_api(credentials):
    """CASE 9: identity headers come from what was verified, never from the client."""
    token = credentials.token(audience="account-api", scope=None)

    def account(says, status, reason, path="/me", token=token, token_says="good token", **more):
        return Case(says, None, "GET", path, status, reason, token, token_says, **more)

    forged = [("X-Internal-User", b"admin"), ("x-lychgate-subject", b"admin"), ("X-Lychgate-Issuer", b"root")]
    return [
        account("forged identity headers", 200, "allowed_by_rule", headers=forged, upstream={
            "x-internal-user": "alice",
            "x-lychgate-subject": "alice",
            "x-lychgate-issuer": "auth-service.internal",
        }),
        account("X-Internal-User: admin", 401, "credential_missing", token=None, token_says="no token", headers=forged),
        account("a forbidden path", 403, "denied_by_rule", path="/internal/debug"),
    ]


GROUPS = [
    ("payment-processor: the api-gateway may charge and refund, with scope payments:write", "payment-processor", payment_processor),
    ("payment-service: order and checkout may pay, prometheus may read metrics", "payment-service", payment_service),
    ("account-api: any user, identity handed on as headers", "account-api", account_api),
]
