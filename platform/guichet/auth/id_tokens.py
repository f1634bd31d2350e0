"""ID tokens verified: OpenID Connect Core 1.0 section 3.1.3.7, with no choice left to the token."""

import contextlib
import warnings
from collections.abc import Iterator
from typing import Annotated

import msgspec
from authlib.oidc.core import CodeIDToken  # type: ignore[import-untyped]
from joserfc.errors import ClaimError, JoseError, SecurityWarning
from joserfc.jwk import JWKRegistry, Key
from joserfc.jws import CompactSignature, JWSRegistry, deserialize_compact, extract_compact

from guichet.auth.discovery import KeyDocument
from guichet.auth.failures import IdentityNotTrusted

#: Signatures made with a private key, and the kind of key of each. HMAC is not among them: its
#: key would be the client secret, and an RSA key's public half could be passed for it.
ALGORITHMS = {
    "RS256": "RSA",
    "RS384": "RSA",
    "RS512": "RSA",
    "PS256": "RSA",
    "PS384": "RSA",
    "PS512": "RSA",
    "ES256": "EC",
    "ES384": "EC",
    "ES512": "EC",
    "EdDSA": "OKP",
    "Ed25519": "OKP",
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


class IdToken(msgspec.Struct, frozen=True, omit_defaults=True):
    """The claims that we read of a verified ID token. Their types keep out what Authlib passes
    over: a list for a text, an empty `at_hash`, a subject that no database would take.
    """

    iss: str
    sub: Subject
    aud: str | list[str]
    exp: float
    iat: float
    nonce: str | None = None
    nbf: float | None = None
    azp: str | None = None
    at_hash: Annotated[str, msgspec.Meta(min_length=1)] | None = None
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
    with _warnings_refused():
        payload = _verified_payload(text, _key(unverified, algorithm, keys), algorithm)
    try:
        token = msgspec.json.decode(payload, type=IdToken)
    except msgspec.MsgspecError as error:
        raise IdentityNotTrusted(reason="the ID token lacks a claim") from error
    _check_claims(token, algorithm, expected)
    return token


@contextlib.contextmanager
def _warnings_refused() -> Iterator[None]:
    """What joserfc only warns of, such as an RSA key below 2048 bits, is an error in here."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", SecurityWarning)
        # RFC 9864 renamed it to Ed25519, and providers will need years to follow.
        warnings.filterwarnings("ignore", "EdDSA is deprecated", SecurityWarning)
        yield


def _algorithm(unverified: CompactSignature, advertised: tuple[str, ...]) -> str:
    algorithm = unverified.headers().get("alg")
    if algorithm not in ALGORITHMS or algorithm not in advertised:
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
        if key.get("kty") == ALGORITHMS[algorithm]
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
    except (JoseError, ValueError, TypeError, KeyError, SecurityWarning) as error:
        raise IdentityNotTrusted(reason="the provider's key cannot be used") from error


def _verified_payload(text: str, key: Key, algorithm: str) -> bytes:
    # Headers of private use are passed over; those named in `crit` are refused by joserfc.
    registry = JWSRegistry(algorithms=[algorithm], strict_check_header=False)
    try:
        return deserialize_compact(text, key, registry=registry).payload
    except (JoseError, ValueError, TypeError, SecurityWarning) as error:
        raise IdentityNotTrusted(reason="the ID token's signature is wrong") from error


def _check_claims(token: IdToken, algorithm: str, expected: Expected) -> None:
    """Core section 3.1.3.7 (2 to 5, 9 to 11) and 3.1.3.8."""
    # Options and not parameters: Authlib passes over a parameter that is empty.
    required = {"iss": expected.issuer, "aud": expected.client_id, "nonce": expected.nonce}
    claims = CodeIDToken(
        msgspec.to_builtins(token),
        # Authlib finds the hash for `at_hash` by the older name only.
        {"alg": "EdDSA" if algorithm == "Ed25519" else algorithm},
        options={name: {"essential": True, "value": value} for name, value in required.items()},
        params={"client_id": expected.client_id, "access_token": expected.access_token},
    )
    try:
        claims.validate(expected.now, _LEEWAY_SECONDS)
    except ClaimError as error:
        raise IdentityNotTrusted(reason=f"the ID token's {error.claim}") from error
