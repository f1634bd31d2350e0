"""Addresses that a merchant wrote, for links on pages and in mails."""

from urllib.parse import urlsplit


def is_web_address(value: str, schemes: tuple[str, ...] = ("https", "http", "mailto")) -> bool:
    """Whether a link to this address leads to a page, or to a mail, and runs nothing."""
    try:
        parts = urlsplit(value)
    except ValueError:
        return False
    return parts.scheme in schemes and bool(parts.netloc or parts.scheme == "mailto")
