"""An OpenID provider on loopback that can be told to lie, one lie at a time.

As it comes it is honest and strict: it verifies the client, the redirect URI, that a code is used
once, and the PKCE verifier. Each attribute replaces one honest answer.
"""

import base64
import hashlib
import json
import secrets
import threading
import time
import warnings
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from joserfc import jws
from joserfc.errors import SecurityWarning
from joserfc.jwk import ECKey, OKPKey, RSAKey

Key = RSAKey | ECKey | OKPKey
Document = dict[str, Any]
Answer = tuple[int, dict[str, str], bytes]


def rsa_key(kid: str) -> RSAKey:
    return RSAKey.generate_key(2048, {"kid": kid, "use": "sig"})


#: Made once: a key takes longer to make than a test to run.
_FIRST_KEY = rsa_key("first")


class HostileProvider:
    """Enter it as a context; `issuer` is where it answers."""

    def __init__(self, client_id: str = "guichet", client_secret: str = "s3cret:with/odd+signs"):
        self.client_id = client_id
        self.client_secret = client_secret
        self.user: Document = {
            "sub": "ada-1",
            "email": "ada@example.com",
            "email_verified": True,
        }
        self.keys: list[Key] = [_FIRST_KEY]
        #: Replaced or, when None, removed from the honest document.
        self.discovery: Document = {}
        self.claims: Document = {}
        self.header: Document = {}
        #: Times among the claims, in seconds from now.
        self.times: dict[str, int] = {}
        self.userinfo: Document = {}
        self.token_answer: Document = {}
        self.callback: Document = {}
        #: The published keys, where they differ from those it signs with.
        self.published: list[Document] | None = None
        #: The whole ID token, where it is not signed as usual.
        self.id_token: str | None = None
        #: Raw answers by path: status, headers, body.
        self.answers: dict[str, Answer] = {}
        #: What arrived: method and path, and of token requests the fields and the client.
        self.requests: list[str] = []
        self.token_requests: list[dict[str, str]] = []
        self.bearers: list[str] = []
        self._codes: dict[str, dict[str, str]] = {}
        self._tokens: set[str] = set()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        self.issuer = f"http://127.0.0.1:{self.port}"

    def __enter__(self) -> "HostileProvider":
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join(5)
        self._server.server_close()

    def answer(self, path: str, fields: dict[str, str], authorization: str) -> Answer:
        """What is sent for a request."""
        if path in self.answers:
            return self.answers[path]
        match path:
            case "/.well-known/openid-configuration":
                return _json(200, self.discovery_document())
            case "/keys":
                return _json(200, self.key_set())
            case "/authorize":
                return 302, {"location": self.authorize(fields)}, b""
            case "/token":
                self.token_requests.append({**fields, "authorization": authorization})
                return _json(*self.redeem(fields, authorization))
            case "/userinfo":
                self.bearers.append(authorization)
                return _json(*self.user_info(authorization))
            case _:
                return _json(404, {})

    def discovery_document(self) -> Document:
        honest = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize?theme=dark",
            "token_endpoint": f"{self.issuer}/token",
            "userinfo_endpoint": f"{self.issuer}/userinfo",
            "jwks_uri": f"{self.issuer}/keys",
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic"],
            "authorization_response_iss_parameter_supported": True,
        }
        return _changed(honest, self.discovery)

    def key_set(self) -> Document:
        if self.published is not None:
            return {"keys": self.published}
        return {"keys": [dict(key.as_dict(private=False)) for key in self.keys]}

    def authorize(self, query: dict[str, str]) -> str:
        """Where an honest user, who consents at once, is sent back to."""
        code = secrets.token_urlsafe(16)
        self._codes[code] = query
        answer = {"code": code, "state": query["state"], "iss": self.issuer}
        return f"{query['redirect_uri']}?{urlencode(_changed(answer, self.callback))}"

    def redeem(self, form: dict[str, str], authorization: str) -> tuple[int, Document]:
        """The token endpoint: everything that protects a code is really verified."""
        client = _basic(authorization) or (form.get("client_id"), form.get("client_secret"))
        if client != (self.client_id, self.client_secret):
            return 401, {"error": "invalid_client"}
        grant = self._codes.pop(form.get("code", ""), None)
        if grant is None or grant["redirect_uri"] != form.get("redirect_uri"):
            return 400, {"error": "invalid_grant"}
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if _base64(verifier) != grant.get("code_challenge"):
            return 400, {"error": "invalid_grant", "error_description": "PKCE"}
        if grant.get("code_challenge_method") != "S256" or "openid" not in grant["scope"].split():
            return 400, {"error": "invalid_request"}
        access_token = secrets.token_urlsafe(16)
        self._tokens.add(access_token)
        honest = {
            "access_token": access_token,
            "token_type": "Bearer",
            "expires_in": 300,
            "id_token": self._id_token(grant, access_token),
        }
        return 200, _changed(honest, self.token_answer)

    def user_info(self, authorization: str) -> tuple[int, Document]:
        if authorization.removeprefix("Bearer ") not in self._tokens:
            return 401, {"error": "invalid_token"}
        return 200, _changed(self.user, self.userinfo)

    def _id_token(self, grant: dict[str, str], access_token: str) -> str:
        now = int(time.time())
        honest = {
            "iss": self.issuer,
            "aud": self.client_id,
            "iat": now,
            "exp": now + 300,
            "nonce": grant.get("nonce"),
            "at_hash": self._access_token_hash(access_token),
            **self.user,
        }
        honest |= {name: now + seconds for name, seconds in self.times.items()}
        return self.id_token or self.sign(_changed(honest, self.claims))

    def _access_token_hash(self, access_token: str) -> str:
        """Half of the hash that belongs to the algorithm (Core section 3.1.3.6)."""
        algorithm = self.header.get("alg") or "RS256"
        bits = "512" if algorithm.startswith("Ed") else algorithm[2:]
        digest = hashlib.new(f"sha{bits}", access_token.encode()).digest()
        return _base64(digest[: len(digest) // 2])

    def sign(self, claims: Document) -> str:
        """Sign with the newest key, as `header` has it."""
        key = self.keys[-1]
        header = _changed({"alg": "RS256", "kid": key.kid, "typ": "JWT"}, self.header)
        if "crit" in header:
            return _signed_by_hand(header, claims, key)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", SecurityWarning)
            return jws.serialize_compact(
                header, json.dumps(claims).encode(), key, algorithms=[header["alg"]]
            )


def unsigned(header: Document, claims: Document, signature: bytes = b"") -> str:
    """A compact token made by hand, for what no library would sign."""
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(_base64(part) for part in parts)


def _signed_by_hand(header: Document, claims: Document, key: Key) -> str:
    """An RS256 signature under a header that no library would sign."""
    assert isinstance(key.private_key, rsa.RSAPrivateKey)
    signed_part = unsigned(header, claims).removesuffix(".")
    signature = key.private_key.sign(signed_part.encode(), padding.PKCS1v15(), hashes.SHA256())
    return f"{signed_part}.{_base64(signature)}"


def _json(status: int, document: Document) -> Answer:
    return status, {"content-type": "application/json"}, json.dumps(document).encode()


def _changed(honest: Document, lies: Document) -> Document:
    merged = {**honest, **lies}
    return {name: value for name, value in merged.items() if value is not None}


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _basic(authorization: str) -> tuple[str, str] | None:
    if not authorization.startswith("Basic "):
        return None
    name, _, secret = base64.b64decode(authorization[6:]).decode().partition(":")
    return unquote(name), unquote(secret)


def _handler(provider: HostileProvider) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._answer("")

        def do_POST(self) -> None:
            self._answer(self.rfile.read(int(self.headers["content-length"])).decode())

        def _answer(self, body: str) -> None:
            parts = urlsplit(self.path)
            fields = dict(parse_qsl(parts.query if self.command == "GET" else body))
            provider.requests.append(f"{self.command} {parts.path}")
            authorization = self.headers.get("authorization", "")
            status, headers, content = provider.answer(parts.path, fields, authorization)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Keep the tests' output clean."""

    return Handler
