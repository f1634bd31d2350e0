"""A redirect back from an identity provider, read with care."""

from urllib.parse import parse_qsl

from guichet.auth.failures import SignInExpired
from guichet.auth.oidc import Callback

#: A callback has a handful of parameters; one with more is nothing that we asked for.
_MOST_PARAMETERS = 20


def read_callback(query_string: bytes) -> Callback:
    """The callback's parameters, each at most once; raises `SignInExpired`."""
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"), keep_blank_values=True, max_num_fields=_MOST_PARAMETERS
        )
    except ValueError as error:
        raise SignInExpired(reason="the callback cannot be read") from error
    given = dict(pairs)
    if len(given) != len(pairs):
        raise SignInExpired(reason="a parameter of the callback comes twice")
    return Callback(
        state=given.get("state", ""),
        code=given.get("code", ""),
        iss=given.get("iss"),
        error=given.get("error", ""),
    )
