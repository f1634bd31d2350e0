"""Where a merchant's customers sign in: OpenID Connect providers of the merchant's own."""

import msgspec


class IdentityProvider(msgspec.Struct, frozen=True, omit_defaults=True):
    """One OIDC provider. Its client secret is in the vault as `oidc:<id>`."""

    #: Short name in addresses, such as `work` in `/sign-in/work`.
    id: str
    #: What the button says.
    label: str
    #: The issuer exactly as its discovery document and ID tokens spell it.
    issuer: str
    client_id: str
    scopes: tuple[str, ...] = ("openid", "email", "profile")
    #: Hosts besides the issuer's own on which its endpoints may be, such as `id.example.com` or
    #: `id.example.com:8443`. The client secret goes to no other.
    endpoint_hosts: tuple[str, ...] = ()


def secret_name(provider_id: str) -> str:
    """The name under which the vault keeps this provider's client secret."""
    return f"oidc:{provider_id}"
