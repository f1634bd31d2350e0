"""An identity provider looked at as a sign-in would, with a sentence for whatever is wrong."""

from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Literal, NamedTuple

from guichet.auth.discovery import Discovery, Metadata
from guichet.auth.failures import IdentityProviderMisconfigured, SignInFailed
from guichet.auth.id_tokens import ALGORITHMS
from tenants.identity_providers import IdentityProvider

Kind = Literal["positive", "caution", "negative"]


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


class Finding(NamedTuple):
    """One thing that was looked at; `text` has places for `values`, as `%` takes them."""

    kind: Kind
    text: str
    values: Mapping[str, str] = MappingProxyType({})


_OTHER_ISSUER = _("The document there is of another issuer. Copy the issuer as it spells it.")
_FOREIGN = _("Endpoints are on other hosts: %(hosts)s. Name them if they are the provider’s.")
_UNSAFE = _("An address is not a plain https address.")
_UNREACHABLE = _("The provider does not answer at %(issuer)s: %(reason)s.")
_FAULTS = {"discovery answers for another issuer": _OTHER_ISSUER}


async def check_provider(
    discovery: Discovery, provider: IdentityProvider, *, has_secret: bool
) -> list[Finding]:
    """What a sign-in would find before it sends anybody there; asks the provider anew."""
    try:
        metadata = await discovery.describe(provider, refetch=True)
        foreign = discovery.foreign_hosts(provider, metadata)
        if foreign:
            hosts = ", ".join(it.removeprefix("https://").removesuffix(":443") for it in foreign)
            return [Finding("negative", _FOREIGN, {"hosts": hosts})]
        keys = await discovery.keys(metadata, refetch=True)
    except SignInFailed as failure:
        return [_failed(provider, failure)]
    found = [Finding("positive", _("The provider answers, and is the issuer that you named."))]
    found += _method_findings(metadata, has_secret)
    if not keys.keys:
        found.append(Finding("negative", _("It publishes no keys to verify sign-ins with.")))
    if "email" not in provider.scopes:
        text = _("Without the scope “email” it may not say whose address it is.")
        found.append(Finding("caution", text))
    return found


def _failed(provider: IdentityProvider, failure: SignInFailed) -> Finding:
    if failure.reason in _FAULTS:
        return Finding("negative", _FAULTS[failure.reason])
    if isinstance(failure, IdentityProviderMisconfigured):
        return Finding("negative", _UNSAFE)
    values = {"issuer": provider.issuer, "reason": failure.reason}
    return Finding("negative", _UNREACHABLE, values)


def _method_findings(metadata: Metadata, has_secret: bool) -> Iterator[Finding]:
    """How it proves its answers, and how we prove who we are."""
    challenges = metadata.code_challenge_methods_supported
    if challenges is None:
        yield Finding("caution", _("It does not say whether it takes PKCE; a trial shows it."))
    elif "S256" not in challenges:
        yield Finding("negative", _("It does not take PKCE with S256, which is always used here."))
    else:
        yield Finding("positive", _("It takes PKCE with S256."))
    if not set(metadata.id_token_signing_alg_values_supported) & ALGORITHMS.keys():
        given = ", ".join(metadata.id_token_signing_alg_values_supported)
        text = _("It signs with nothing that is trusted here: %(given)s.")
        yield Finding("negative", text, {"given": given})
    methods = metadata.token_endpoint_auth_methods_supported
    wanted = {"client_secret_basic", "client_secret_post"} if has_secret else {"none"}
    if wanted & set(methods):
        return
    if has_secret:
        text = _("It wants clients to prove themselves by %(given)s, which is not supported.")
        yield Finding("negative", text, {"given": ", ".join(methods)})
    else:
        yield Finding("caution", _("It wants a client secret. Set it below."))
