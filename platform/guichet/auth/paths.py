"""Where a visitor may be sent: the pages of this very host."""

import re
from urllib.parse import quote

# One slash, then printable ASCII without a backslash: browsers read `//`, `/\` and a slash after
# a dropped tab or newline as the beginning of another host.
_LOCAL = re.compile(r"/(?!/)[\x21-\x5b\x5d-\x7e]{0,1999}")


def local_path(wanted: str | None) -> str:
    """`wanted` if it is a path of this very host, and the home page for everything else."""
    return wanted if wanted is not None and _LOCAL.fullmatch(wanted) else "/"


def sign_in_path(wanted: str, provider_id: str = "") -> str:
    """The address of the sign-in page, or of one provider's start, that leads back to `wanted`."""
    start = f"/sign-in/{quote(provider_id, safe='')}" if provider_id else "/sign-in"
    path = local_path(wanted)
    return start if path == "/" else f"{start}?next={quote(path, safe='/')}"
