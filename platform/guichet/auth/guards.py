"""Who must be signed in, and where a visitor may be sent afterwards."""

import re
from urllib.parse import quote

from guichet.auth.sessions import Session, find_session
from guichet.db import Unit
from guichet.errors import SignInRequired

# One slash, then printable ASCII without a backslash: browsers read `//`, `/\` and a slash after
# a dropped tab or newline as the beginning of another host.
_LOCAL = re.compile(r"/(?![/\\])[\x21-\x5b\x5d-\x7e]{0,1999}")


async def require_session(unit: Unit, token: str | None) -> Session:
    """The live session of a request's cookie; raises `SignInRequired` where there is none."""
    session = None if token is None else await find_session(unit, token)
    if session is None:
        raise SignInRequired
    return session


def local_path(wanted: str | None) -> str:
    """`wanted` if it is a path of this very host, and the home page for everything else."""
    if wanted is None or not _LOCAL.fullmatch(wanted) or wanted.startswith("/sign-"):
        return "/"
    return wanted


def sign_in_path(wanted: str) -> str:
    """The address of the sign-in page that leads back to `wanted`."""
    path = local_path(wanted)
    return "/sign-in" if path == "/" else f"/sign-in?next={quote(path, safe='/')}"
