"""The mails that the demo has caught: one file each in the home, the newest ones kept."""

import os
import re
import secrets
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import getaddresses
from functools import lru_cache
from pathlib import Path

import msgspec

#: Older mails make room for newer ones.
MOST_MAILS = 200
_NAME = re.compile(r"[0-9]{20}-[0-9a-f]{8}")
_READ_MAILS = 2 * MOST_MAILS


class Mail(msgspec.Struct, frozen=True):
    """One mail as it was handed over."""

    id: str
    received_at: datetime
    #: Who it is from as people read it: the merchant's name, else the address.
    merchant: str
    sender: str
    #: The address that it is for.
    person: str
    subject: str
    #: The parts as they are to be read; empty where the mail has none of that kind.
    html: str
    text: str
    headers: tuple[tuple[str, str], ...]


class Mailbox:
    """A directory of mails. Writer and readers may be different processes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory

    def store(self, content: bytes) -> str:
        """Keep a mail, and let the oldest ones go; answers its id."""
        identifier = f"{time.time_ns():020d}-{secrets.token_hex(4)}"
        draft = self._directory / f"{identifier}.new"
        with draft.open("wb") as file:
            file.write(content)
            file.flush()
            # The server's answer says that the mail is kept.
            os.fsync(file.fileno())
        draft.rename(self._file(identifier))
        for old in self._ids()[MOST_MAILS:]:
            self._file(old).unlink(missing_ok=True)
        return identifier

    def mails(self) -> Iterator[Mail]:
        """All of them, newest first."""
        return filter(None, (self.find(identifier) for identifier in self._ids()))

    def find(self, identifier: str) -> Mail | None:
        """One mail by its id; None where there is none, or none any more."""
        if not _NAME.fullmatch(identifier):
            return None
        try:
            return _read(self._file(identifier))
        except FileNotFoundError:
            return None

    def _ids(self) -> list[str]:
        # A name begins with the time of its mail.
        return sorted((file.stem for file in self._directory.glob("*.eml")), reverse=True)

    def _file(self, identifier: str) -> Path:
        return self._directory / f"{identifier}.eml"


@lru_cache(maxsize=_READ_MAILS)
def _read(file: Path) -> Mail:
    """A mail's file never changes."""
    content = file.read_bytes()
    received_at = datetime.fromtimestamp(int(file.stem[:20]) / 1e9, UTC)
    try:
        message = message_from_bytes(content, EmailMessage, policy=policy.default)
        return _parse(file.stem, received_at, message)
    # The standard library stumbles in many ways over headers that nobody should send.
    except Exception:
        text = content.decode("utf-8", "replace")
        return Mail(file.stem, received_at, "", "", "", "", html="", text=text, headers=())


def _parse(identifier: str, received_at: datetime, message: EmailMessage) -> Mail:
    name, sender = _address(message, "from")
    return Mail(
        id=identifier,
        received_at=received_at,
        merchant=name or sender,
        sender=sender,
        person=_address(message, "to")[1],
        subject=str(message.get("subject", "")),
        html=_part(message, "html"),
        text=_part(message, "plain"),
        headers=tuple((key, str(value)) for key, value in message.items()),
    )


def _address(message: EmailMessage, header: str) -> tuple[str, str]:
    """The display name and the address of a header's first address."""
    found = getaddresses([str(value) for value in message.get_all(header, [])])
    return found[0] if found else ("", "")


def _part(message: EmailMessage, kind: str) -> str:
    part = message.get_body((kind,))
    try:
        # On its way a mail ends its lines with both characters (RFC 5321 section 2.3.8).
        return "" if part is None else str(part.get_content()).replace("\r\n", "\n")
    except LookupError:
        # Nobody knows its charset.
        return ""
