"""Keys, tokens and certificates, made on the spot by the `lychgate` command."""

import base64
import hashlib
import hmac
import json
import subprocess
import textwrap

from . import artefacts

MESH = "spiffe://cluster.local"
API_GATEWAY = f"{MESH}/ns/api-gateway/sa/api-gateway-sa"
ORDER_SERVICE = f"{MESH}/ns/production/sa/order-service"
CHECKOUT_SERVICE = f"{MESH}/ns/production/sa/checkout-service"
PROMETHEUS = f"{MESH}/ns/monitoring/sa/prometheus"
BATCH_JOB = f"{MESH}/ns/production/sa/batch-job"
STAGING_ORDERS = f"{MESH}/ns/staging/sa/order-service"

ISSUER = "auth-service.internal"
SSO = "sso-provider.corp"

# The certificates of the demo: file name, SPIFFE ID, authority, further URIs.
CERTIFICATES = [
    ("server", f"{MESH}/ns/production/sa/gateway", "mesh-ca", []),
    ("api-gateway", API_GATEWAY, "mesh-ca", []),
    ("order-service", ORDER_SERVICE, "mesh-ca", []),
    ("checkout-service", CHECKOUT_SERVICE, "mesh-ca", []),
    ("prometheus", PROMETHEUS, "mesh-ca", []),
    ("batch-job", BATCH_JOB, "mesh-ca", []),
    ("staging-orders", STAGING_ORDERS, "mesh-ca", []),
    ("stranger", ORDER_SERVICE, "other-ca", []),
    ("two-names", ORDER_SERVICE, "mesh-ca", [API_GATEWAY]),
]

# Token keys: file name, algorithm, kid.
KEYS = [
    ("auth-service", "RS256", "auth-2026"),
    ("sso", "ES256", "sso-1"),
    ("rogue", "RS256", "auth-2026"),
    ("unpublished", "RS256", "auth-2031"),
]


class Credentials:
    """Everything secret of one run, in one temporary folder."""

    def __init__(self, folder):
        self.folder = folder
        self.command = artefacts.command()

    def make(self):
        for name in ("mesh-ca", "other-ca"):
            self.run("svid", "ca", "-o", name)
        for name, spiffe_id, ca, further in CERTIFICATES:
            extra = [argument for uri in further for argument in ("--extra-uri", uri)]
            self.run("svid", "x509", "--ca", ca, "--spiffe-id", spiffe_id, "-o", name, *extra)
        for name, algorithm, kid in KEYS:
            self.run("token", "keygen", "--alg", algorithm, "--kid", kid, "-o", f"{name}.json")

    def key_set(self, name):
        return self.run("token", "jwks", f"{name}.json")

    def token(self, key="auth-service", issuer=ISSUER, audience="payment-processor", scope="payments:write", expires="5m", subject="alice"):
        claims = ["--claim", f"scope={scope}"] if scope else []
        return self.run(
            "token", "mint", "--key", f"{key}.json", "--issuer", issuer, "--subject", subject,
            "--audience", audience, f"--expires-in={expires}", *claims,
        ).strip()

    def unsigned_token(self, keep_signature):
        """`alg: none` over good claims, with no signature or with one that is no longer looked at."""
        _, claims, signature = self.token().split(".")
        return f"{encode({'alg': 'none', 'typ': 'JWT'})}.{claims}.{signature if keep_signature else ''}"

    def confused_token(self):
        """HS256, keyed with the issuer's public RSA key in PEM, which everybody can read."""
        claims = self.token().split(".")[1]
        header = encode({"alg": "HS256", "kid": "auth-2026", "typ": "JWT"})
        signed = f"{header}.{claims}"
        signature = hmac.new(self.public_pem(), signed.encode(), hashlib.sha256).digest()
        return f"{signed}.{base64url(signature)}"

    def public_pem(self):
        key = json.loads(self.key_set("auth-service"))["keys"][0]
        text = base64.b64encode(rsa_public_key(number(key["n"]), number(key["e"]))).decode()
        return "\n".join(["-----BEGIN PUBLIC KEY-----", *textwrap.wrap(text, 64), "-----END PUBLIC KEY-----", ""]).encode()

    def compile(self, namespace, app, output, *form):
        self.run(
            "compile", artefacts.POLICIES, "--namespace", namespace, "--label", f"app={app}",
            "--settings", artefacts.SETTINGS, *form, "-o", output,
        )

    def run(self, *arguments):
        result = subprocess.run([self.command, *arguments], cwd=self.folder, capture_output=True, text=True)
        if result.returncode != 0:
            raise SystemExit(f"demo: lychgate {' '.join(map(str, arguments[:2]))} failed:\n{result.stderr}")
        return result.stdout


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def encode(value):
    return base64url(json.dumps(value, separators=(",", ":")).encode())


def number(text):
    return int.from_bytes(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), "big")


def rsa_public_key(modulus, exponent):
    """A SubjectPublicKeyInfo (RFC 8017, appendix A.1.1, and RFC 5280, section 4.1)."""
    algorithm = bytes.fromhex("300d06092a864886f70d0101010500")
    key = der(0x30, der_integer(modulus) + der_integer(exponent))
    return der(0x30, algorithm + der(0x03, b"\0" + key))


def der_integer(value):
    return der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def der(tag, content):
    length = len(content)
    if length < 128:
        return bytes([tag, length]) + content
    size = length.to_bytes((length.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(size)]) + size + content
