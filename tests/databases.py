"""The addresses of a test's own database."""

from typing import NamedTuple


class DatabaseUrls(NamedTuple):
    """One database: as the role that owns it, and as the application's role."""

    owner: str
    web: str
