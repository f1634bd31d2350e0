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
#: posts its answers where an address is asked for.
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
        name="Microsoft",
        label="Microsoft",
        issuer="https://login.microsoftonline.com/YOUR-DIRECTORY-ID/v2.0",
        endpoint_hosts="graph.microsoft.com",
        note=_(
            "Put your directory's id into the issuer, and have Entra ID send the claim "
            "email_verified: without it no customer is recognised."
        ),
    ),
    Preset(id="custom", name=""),
)
