"""Where mails are handed over: an SMTP server, written as a URL."""

import ipaddress
import re
from typing import Literal
from urllib.parse import unquote, urlsplit

import msgspec

#: none: plain text all the way; start: STARTTLS or nothing; whole: TLS from the first byte.
Tls = Literal["none", "start", "whole"]

_SCHEMES: dict[str, tuple[Tls, int]] = {
    "smtp": ("none", 25),
    "smtp+starttls": ("start", 587),
    "smtps": ("whole", 465),
}
_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*", re.ASCII)
_LONGEST_URL = 1000


class UnusableServer(ValueError):
    """The URL names no SMTP server that may be used; the text says why and quotes nothing."""


class MailServer(msgspec.Struct, frozen=True, kw_only=True):
    """A server, how it is reached, and who we are there."""

    host: str
    port: int
    tls: Tls
    username: str = ""
    password: str = ""

    def __repr__(self) -> str:
        """Names no password: a traceback may print this."""
        return f"<MailServer {self.host}:{self.port} tls={self.tls}>"


def parse_server(url: str) -> MailServer:
    """Read `smtp://host`, `smtp+starttls://user:password@host:587` or `smtps://…`.

    A name and a password hold what is not a letter or digit percent-encoded. Raises
    `UnusableServer`, also for a password that would go over the wire unprotected.
    """
    if len(url) > _LONGEST_URL or not url.isprintable() or " " in url:
        raise UnusableServer("it is no URL")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        # What the parser says may quote what was given.
        parts, port = urlsplit(""), None
    if parts.scheme not in _SCHEMES:
        raise UnusableServer("it is none of smtp://, smtp+starttls:// and smtps://")
    tls, usual_port = _SCHEMES[parts.scheme]
    host = parts.hostname or ""
    if not _is_host(host) or port == 0:
        raise UnusableServer("its host or port cannot be read")
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise UnusableServer("something follows its host")
    username, password = unquote(parts.username or ""), unquote(parts.password or "")
    if tls == "none" and (username or password):
        raise UnusableServer("a password needs smtps:// or smtp+starttls://")
    if bool(username) != bool(password) or not (username + password).isprintable():
        raise UnusableServer("a login is a name and a password")
    return MailServer(
        host=host, port=port or usual_port, tls=tls, username=username, password=password
    )


def _is_host(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return len(text) <= 253 and _HOST.fullmatch(text) is not None
    return True
