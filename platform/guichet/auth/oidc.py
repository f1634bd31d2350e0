"""Guichet as an OpenID Connect relying party: code flow with PKCE, everything checked.

`docs/developer/sign-in.md` lists each check with its section of the standards.
"""

import time
from collections.abc import Callable
from typing import Annotated
from urllib.parse import quote

import msgspec
from authlib.oauth2 import ClientAuth  # type: ignore[import-untyped]
from authlib.oauth2.rfc6749.parameters import (  # type: ignore[import-untyped]
    prepare_grant_uri,
    prepare_token_request,
)
from authlib.oauth2.rfc7636 import create_s256_code_challenge  # type: ignore[import-untyped]

from guichet.auth.discovery import Discovery, Metadata
from guichet.auth.failures import (
    IdentityNotTrusted,
    IdentityProviderMisconfigured,
    IdentityProviderUnreachable,
    SignInDeclined,
    SignInExpired,
    SignInRefused,
)
from guichet.auth.id_tokens import Email, Expected, IdToken, Subject, UnknownKey, verify_id_token
from guichet.auth.identity_http import Answer, IdentityHttp
from tenants.identity_providers import IdentityProvider


class Claims(msgspec.Struct, frozen=True):
    """Who a provider says has signed in; issuer and subject together are that person for ever."""

    issuer: str
    subject: str
    email: str | None
    email_verified: bool


class Callback(msgspec.Struct, frozen=True):
    """The parameters of a redirect back from a provider (RFC 6749 section 4.1.2, RFC 9207)."""

    state: str = ""
    code: str = ""
    iss: str | None = None
    error: str = ""


class Exchange(msgspec.Struct, frozen=True):
    """What redeems a code: the client, and what its sign-in was started with."""

    client_secret: str | None
    redirect_uri: str
    code: str
    code_verifier: str
    nonce: str


class _Tokens(msgspec.Struct, frozen=True):
    access_token: Annotated[str, msgspec.Meta(min_length=1)]
    token_type: str
    id_token: str


class _UserInfo(msgspec.Struct, frozen=True):
    sub: Subject
    email: Email | None = None
    email_verified: bool | str | None = None


class _ErrorAnswer(msgspec.Struct, frozen=True):
    error: str = ""


class RelyingParty:
    """Talks to identity providers; holds nothing of any one sign-in."""

    def __init__(
        self, http: IdentityHttp, discovery: Discovery, clock: Callable[[], float] = time.time
    ) -> None:
        self._http = http
        self.discovery = discovery
        self._clock = clock

    async def authorization_url(
        self,
        provider: IdentityProvider,
        redirect_uri: str,
        state: str,
        nonce: str,
        code_verifier: str,
    ) -> str:
        """Where to send the browser (Core section 3.1.2.1, RFC 7636 section 4.3)."""
        metadata = await self.discovery.metadata(provider)
        # A query of the endpoint's own stays (RFC 6749 section 3.1).
        url: str = prepare_grant_uri(
            metadata.authorization_endpoint,
            provider.client_id,
            "code",
            redirect_uri=redirect_uri,
            scope=provider.scopes,
            state=state,
            nonce=nonce,
            code_challenge=create_s256_code_challenge(code_verifier),
            code_challenge_method="S256",
        )
        return url

    async def check_callback(self, provider: IdentityProvider, callback: Callback) -> None:
        """Refuse an answer of another issuer (RFC 9207 section 2.4), or one that says no.

        Raises `IdentityNotTrusted`, `SignInDeclined`, `SignInRefused` or `SignInExpired`.
        """
        metadata = await self.discovery.metadata(provider)
        must_name = metadata.authorization_response_iss_parameter_supported
        if callback.iss != provider.issuer and (callback.iss is not None or must_name):
            raise IdentityNotTrusted(reason="the callback is of another issuer")
        if callback.error == "access_denied":
            raise SignInDeclined(reason="access_denied")
        if callback.error:
            raise SignInRefused(reason=_error_code(callback.error))
        if not callback.code:
            raise SignInExpired(reason="the callback has no code")

    async def redeem(self, provider: IdentityProvider, exchange: Exchange) -> Claims:
        """Exchange the code for tokens and answer what they prove."""
        metadata = await self.discovery.metadata(provider)
        tokens = await self._fetch_tokens(provider, metadata, exchange)
        expected = Expected(
            issuer=provider.issuer,
            client_id=provider.client_id,
            nonce=exchange.nonce,
            access_token=tokens.access_token,
            algorithms=metadata.id_token_signing_alg_values_supported,
            now=self._clock(),
        )
        token = await self._verify(metadata, tokens.id_token, expected)
        if token.email or metadata.userinfo_endpoint is None:
            return _claims(provider, token)
        return _claims(
            provider, await self._fetch_user_info(metadata.userinfo_endpoint, tokens, token)
        )

    async def _verify(self, metadata: Metadata, text: str, expected: Expected) -> IdToken:
        try:
            return verify_id_token(text, await self.discovery.keys(metadata), expected)
        except UnknownKey:
            # The provider may have changed its keys since we asked (Core section 10.1.1).
            newer = await self.discovery.keys(metadata, refetch=True)
            return verify_id_token(text, newer, expected)

    async def _fetch_tokens(
        self, provider: IdentityProvider, metadata: Metadata, exchange: Exchange
    ) -> _Tokens:
        url = metadata.token_endpoint
        form = prepare_token_request(
            "authorization_code",
            redirect_uri=exchange.redirect_uri,
            code=exchange.code,
            code_verifier=exchange.code_verifier,
        )
        client = _client_auth(provider, metadata, exchange.client_secret)
        _, headers, form = client.prepare("POST", url, {}, form)
        answer = await self._http.post(url, form, headers.get("Authorization", ""))
        if answer.status != 200:
            raise _token_failure(answer)
        try:
            tokens = msgspec.json.decode(answer.body, type=_Tokens)
        except msgspec.MsgspecError as error:
            raise IdentityNotTrusted(reason="the token answer lacks a token") from error
        if tokens.token_type.lower() != "bearer":
            raise IdentityNotTrusted(reason="the access token is not a bearer token")
        return tokens

    async def _fetch_user_info(self, url: str, tokens: _Tokens, token: IdToken) -> _UserInfo:
        """Ask for the email; the answer must be about the same subject (Core section 5.3.2)."""
        answer = await self._http.get(url, f"Bearer {tokens.access_token}")
        if answer.status != 200:
            raise IdentityProviderUnreachable(reason=f"userinfo: status {answer.status}")
        try:
            info = msgspec.json.decode(answer.body, type=_UserInfo)
        except msgspec.MsgspecError as error:
            raise IdentityNotTrusted(reason="userinfo cannot be read") from error
        if info.sub != token.sub:
            raise IdentityNotTrusted(reason="userinfo is about another subject")
        return info


def _claims(provider: IdentityProvider, source: IdToken | _UserInfo) -> Claims:
    return Claims(
        issuer=provider.issuer,
        subject=source.sub,
        email=source.email or None,
        email_verified=source.email_verified in (True, "true"),
    )


def _client_auth(provider: IdentityProvider, metadata: Metadata, secret: str | None) -> ClientAuth:
    """What adds the client to a token request: Basic where the provider takes it, else the form.

    A client without a secret is a public one, which PKCE protects.
    """
    if secret is None:
        return ClientAuth(provider.client_id, None, "none")
    if "client_secret_basic" in metadata.token_endpoint_auth_methods_supported:
        # Authlib joins the two halves as they are; RFC 6749 section 2.3.1 has each encoded first.
        name, word = quote(provider.client_id, safe=""), quote(secret, safe="")
        return ClientAuth(name, word, "client_secret_basic")
    return ClientAuth(provider.client_id, secret, "client_secret_post")


def _token_failure(answer: Answer) -> Exception:
    if answer.status >= 500:
        return IdentityProviderUnreachable(reason=f"token: status {answer.status}")
    try:
        code = msgspec.json.decode(answer.body, type=_ErrorAnswer).error
    except msgspec.MsgspecError:
        code = ""
    reason = f"token: {_error_code(code)} ({answer.status})"
    if code == "invalid_grant":
        return SignInExpired(reason=reason)
    if code in ("invalid_client", "unauthorized_client"):
        return IdentityProviderMisconfigured(reason=reason)
    return SignInRefused(reason=reason)


def _error_code(text: str) -> str:
    """A provider's error code, if it looks like one; its words are never passed on."""
    return text if text.isascii() and text.isidentifier() and len(text) <= 64 else "another error"
