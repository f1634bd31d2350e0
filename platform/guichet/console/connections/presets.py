"""Sign-in providers that many have, with what is the same for all who use them."""

import msgspec


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


class Preset(msgspec.Struct, frozen=True, kw_only=True):
    """What a new provider's form begins with."""

    id: str
    name: str
    label: str = ""
    issuer: str = ""
    scopes: str = "openid, email, profile"
    endpoint_hosts: str = ""
    #: What has to be known about it, in English.
    note: str = ""


#: Only providers of OpenID Connect that answer with a redirect: GitHub has OAuth alone, and Apple
#: posts its answers where an address is asked for, without the cookie that a sign-in is bound to.
PRESETS = (
    Preset(
        id="google",
        name="Google",
        label="Google",
        issuer="https://accounts.google.com",
        note=_("Make an OAuth client of the type “web application” in the Google Cloud console."),
    ),
    Preset(
        id="microsoft",
        name="Microsoft Entra ID",
        label="Microsoft",
        issuer="https://login.microsoftonline.com/YOUR-DIRECTORY-ID/v2.0",
        endpoint_hosts="graph.microsoft.com",
        note=_(
            "Put your directory’s id into the issuer, and have Entra ID send the claim "
            "email_verified: without it no customer is recognised."
        ),
    ),
    Preset(
        id="okta",
        name="Okta",
        label="Okta",
        issuer="https://YOUR-DOMAIN.okta.com",
        note=_(
            "Make a web application for the authorization code flow. With an authorization server "
            "of your own the issuer ends with /oauth2/ and its name."
        ),
    ),
    Preset(
        id="auth0",
        name="Auth0",
        label="Auth0",
        issuer="https://YOUR-TENANT.eu.auth0.com/",
        note=_(
            "Make a regular web application. The issuer is its domain with a slash at the end, "
            "or your own domain where you have one."
        ),
    ),
    Preset(
        id="keycloak",
        name="Keycloak",
        label="Keycloak",
        issuer="https://YOUR-HOST/realms/YOUR-REALM",
        note=_(
            "Make a client with client authentication and the standard flow. Customers whose email "
            "Keycloak has not verified are not recognised."
        ),
    ),
    Preset(id="custom", name=""),
)
