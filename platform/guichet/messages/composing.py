"""A mail as it goes over the wire: headers that nobody's name can break, text beside HTML."""

import re
import unicodedata
from datetime import datetime
from email import policy
from email.header import Header
from email.message import EmailMessage
from email.utils import format_datetime

import msgspec

from guichet.messages.facts import one_line
from guichet.messages.wording import Letter

#: RFC 5321 section 4.5.3.1.
_LONGEST_ADDRESS, _LONGEST_LOCAL = 254, 64
_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_DOMAIN = re.compile(
    r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)*"
)

_ATOMS = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")


class Envelope(msgspec.Struct, frozen=True, kw_only=True):
    """Who writes to whom. All addresses are plain ones."""

    sender_name: str
    sender: str
    recipient: str
    #: Empty for none.
    reply_to: str
    #: Without angle brackets; the same in each try.
    message_id: str
    sent_at: datetime
    #: The address of one-click unsubscription; empty for none.
    unsubscribe: str


def plain_address(text: str | None) -> str | None:
    """The address as SMTP takes it, or None where it cannot be written to.

    A domain with letters beyond ASCII is encoded (IDNA). Not accepted are a quoted local part, and
    one beyond ASCII, which few servers know (RFC 6531).
    """
    local, at, domain = (text or "").strip().rpartition("@")
    try:
        domain = domain if domain.isascii() else _encoded_domain(domain)
    except UnicodeError:
        return None
    is_plain = bool(at and _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain))
    too_long = len(local) > _LONGEST_LOCAL or len(f"{local}@{domain}") > _LONGEST_ADDRESS
    return f"{local}@{domain}" if is_plain and not too_long else None


def _encoded_domain(domain: str) -> str:
    """Raises `UnicodeError` also where the encoding would be another domain's.

    Python's is IDNA 2003, which makes `strasse` of `straße` and leaves out what is not seen: since
    RFC 5891 these are domains of their own, and a mail with a link must not go to the wrong one.
    """
    encoded = domain.encode("idna")
    if encoded.decode("idna") != unicodedata.normalize("NFC", domain.lower()):
        raise UnicodeError
    return encoded.decode()


def compose(letter: Letter, envelope: Envelope) -> bytes:
    """The whole mail, in lines of ASCII that end with CRLF; the dots are not doubled yet.

    Its headers are written here, for the standard library folds what it should not: an address in
    `List-Unsubscribe` becomes an encoded word that no mail program takes for an address.
    """
    headers = {
        "From": f"{_phrase(envelope.sender_name)} <{envelope.sender}>".strip(),
        "To": envelope.recipient,
        "Reply-To": envelope.reply_to,
        "Subject": _unstructured(letter.subject),
        "Date": format_datetime(envelope.sent_at),
        "Message-ID": f"<{envelope.message_id}>",
        # RFC 3834: so that no machine answers it.
        "Auto-Submitted": "auto-generated",
    }
    if envelope.unsubscribe:
        # RFC 8058: the mail program ends it by one POST to that address, without a page.
        headers["List-Unsubscribe"] = f"<{envelope.unsubscribe}>"
        headers["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    content = EmailMessage(policy=policy.SMTP)
    content.set_content(letter.text, cte="quoted-printable")
    content.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value)
    return lines.encode("ascii") + content.as_bytes()


def _phrase(name: str) -> str:
    """A name beside an address: as it is where nothing in it has a meaning there."""
    kept = one_line(name, 120)
    return kept if _ATOMS.fullmatch(kept) and "=?" not in kept else _encoded(kept)


def _unstructured(text: str) -> str:
    kept = one_line(text)
    return kept if kept.isascii() and "=?" not in kept else _encoded(kept)


def _encoded(text: str) -> str:
    """In encoded words (RFC 2047), each on a line of its own."""
    return Header(text, "utf-8", maxlinelen=75).encode(linesep="\r\n") if text else ""
