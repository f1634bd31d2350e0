"""ID tokens verified: OpenID Connect Core 1.0 section 3.1.3.7, with no choice left to the token."""

import base64
import hashlib
import hmac
from typing import Annotated

import msgspec
from joserfc.errors import JoseError
from joserfc.jwk import JWKRegistry, Key
from joserfc.jws import CompactSignature, JWSRegistry, deserialize_compact, extract_compact

from guichet.auth.discovery import KeyDocument
from guichet.auth.failures import IdentityNotTrusted

#: Signatures made with a private key, and the kind of key and hash of each. HMAC is not among
#: them: its key would be the client secret, and an RSA key's public half could be passed for it.
_ALGORITHMS = {
    "RS256": ("RSA", "sha256"),
    "RS384": ("RSA", "sha384"),
    "RS512": ("RSA", "sha512"),
    "PS256": ("RSA", "sha256"),
    "PS384": ("RSA", "sha384"),
    "PS512": ("RSA", "sha512"),
    "ES256": ("EC", "sha256"),
    "ES384": ("EC", "sha384"),
    "ES512": ("EC", "sha512"),
    "EdDSA": ("OKP", "sha512"),
    "Ed25519": ("OKP", "sha512"),
}
#: How far the provider's clock may differ from ours.
_LEEWAY_SECONDS = 60.0

#: At most 255 characters of ASCII (Core section 2).
Subject = Annotated[str, msgspec.Meta(pattern=r"\A[\x20-\x7e]{1,255}\Z")]
#: No blank and no control character, as long as a mail server would take; may be empty.
Email = Annotated[str, msgspec.Meta(pattern=r"\A[^\x00-\x20\x7f]{0,320}\Z")]


class UnknownKey(IdentityNotTrusted):
    """What the sign-in service told us about you could not be verified, so you are not signed
    in. Please try again.
    """


class IdToken(msgspec.Struct, frozen=True):
    """The claims that we read of a verified ID token."""

    iss: str
    sub: Subject
    aud: str | tuple[str, ...]
    exp: float
    iat: float
    nonce: str | None = None
    nbf: float | None = None
    azp: str | None = None
    at_hash: str | None = None
    email: Email | None = None
    #: Some providers spell it as text.
    email_verified: bool | str | None = None


class Expected(msgspec.Struct, frozen=True):
    """What the token of one particular sign-in has to say."""

    issuer: str
    client_id: str
    nonce: str
    access_token: str
    #: What the provider advertises that it signs with.
    algorithms: tuple[str, ...]
    #: Seconds since 1970.
    now: float


def verify_id_token(text: str, keys: KeyDocument, expected: Expected) -> IdToken:
    """Check signature and claims. Raises `IdentityNotTrusted`; `UnknownKey` when none of `keys`
    is the one that the token names, which newer keys may cure.
    """
    try:
        unverified = extract_compact(text.encode())
    except (JoseError, ValueError) as error:
        raise IdentityNotTrusted(reason="the ID token cannot be read") from error
    algorithm = _algorithm(unverified, expected.algorithms)
    payload = _verified_payload(text, _key(unverified, algorithm, keys), algorithm)
    try:
        token = msgspec.json.decode(payload, type=IdToken)
    except msgspec.MsgspecError as error:
        raise IdentityNotTrusted(reason="the ID token lacks a claim") from error
    _check_claims(token, expected)
    _check_access_token(token, expected.access_token, _ALGORITHMS[algorithm][1])
    return token


def _algorithm(unverified: CompactSignature, advertised: tuple[str, ...]) -> str:
    algorithm = unverified.headers().get("alg")
    if algorithm not in _ALGORITHMS or algorithm not in advertised:
        raise IdentityNotTrusted(reason="the ID token's algorithm is not allowed")
    return str(algorithm)


def _key(unverified: CompactSignature, algorithm: str, keys: KeyDocument) -> Key:
    """The one key of the set that can have signed; what the token's header embeds is no key.

    A token that names no key is accepted only when there is no choice (Core section 10.1).
    """
    kid = unverified.headers().get("kid")
    candidates = [
        key
        for key in keys.keys
        if key.get("kty") == _ALGORITHMS[algorithm][0]
        and key.get("use", "sig") == "sig"
        and key.get("alg", algorithm) == algorithm
        and (kid is None or key.get("kid") == kid)
    ]
    if not candidates:
        raise UnknownKey(reason="no key of the provider fits the ID token")
    if len(candidates) > 1:
        raise IdentityNotTrusted(reason="several keys fit the ID token")
    try:
        return JWKRegistry.import_key(candidates[0])  # type: ignore[arg-type]
    except (JoseError, ValueError, TypeError, KeyError) as error:
        raise IdentityNotTrusted(reason="the provider's key cannot be read") from error


def _verified_payload(text: str, key: Key, algorithm: str) -> bytes:
    # Headers of private use are passed over; those named in `crit` are refused by joserfc.
    registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    try:
        return deserialize_compact(text, key, registry=registry).payload
    except (JoseError, ValueError, TypeError) as error:
        raise IdentityNotTrusted(reason="the ID token's signature is wrong") from error


def _check_claims(token: IdToken, expected: Expected) -> None:
    audience = (token.aud,) if isinstance(token.aud, str) else token.aud
    # A token for several audiences must say that it was issued to us (Core 3.1.3.7, 3 to 5).
    issued_to = token.azp if len(audience) > 1 else (token.azp or expected.client_id)
    faults = {
        "issuer": token.iss != expected.issuer,
        "audience": expected.client_id not in audience or issued_to != expected.client_id,
        "nonce": not hmac.compare_digest((token.nonce or "").encode(), expected.nonce.encode()),
        "expiry": token.exp <= expected.now - _LEEWAY_SECONDS,
        "time of issue": token.iat > expected.now + _LEEWAY_SECONDS,
        "beginning": (token.nbf or 0.0) > expected.now + _LEEWAY_SECONDS,
    }
    wrong = [name for name, fault in faults.items() if fault]
    if wrong:
        raise IdentityNotTrusted(reason=f"the ID token's {', '.join(wrong)}")


def _check_access_token(token: IdToken, access_token: str, hash_name: str) -> None:
    """Core section 3.1.3.8: where `at_hash` is present, the access token came with this one."""
    if token.at_hash is None:
        return
    digest = hashlib.new(hash_name, access_token.encode()).digest()
    half = base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=")
    if not hmac.compare_digest(token.at_hash.encode(), half):
        raise IdentityNotTrusted(reason="the access token does not belong to the ID token")
