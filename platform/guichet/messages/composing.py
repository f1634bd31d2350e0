"""A mail as it goes over the wire: headers that nobody's name can break, text beside HTML."""

import re
from datetime import datetime
from email import policy
from email.headerregistry import Address
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
        domain = domain.encode("idna").decode() if not domain.isascii() else domain
    except UnicodeError:
        return None
    is_plain = bool(at and _LOCAL.fullmatch(local) and _DOMAIN.fullmatch(domain))
    too_long = len(local) > _LONGEST_LOCAL or len(f"{local}@{domain}") > _LONGEST_ADDRESS
    return f"{local}@{domain}" if is_plain and not too_long else None


def compose(letter: Letter, envelope: Envelope) -> bytes:
    """The whole mail, in lines of ASCII that end with CRLF; the dots are not doubled yet."""
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = Address(one_line(envelope.sender_name, 120), addr_spec=envelope.sender)
    message["To"] = Address(addr_spec=envelope.recipient)
    if envelope.reply_to:
        message["Reply-To"] = Address(addr_spec=envelope.reply_to)
    message["Subject"] = one_line(letter.subject)
    message["Date"] = format_datetime(envelope.sent_at)
    message["Message-ID"] = f"<{envelope.message_id}>"
    # RFC 3834: so that no machine answers it.
    message["Auto-Submitted"] = "auto-generated"
    if envelope.unsubscribe:
        # RFC 8058: the mail program ends it by one POST to that address, without a page.
        message["List-Unsubscribe"] = f"<{envelope.unsubscribe}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    message.set_content(letter.text, cte="quoted-printable")
    message.add_alternative(letter.html, subtype="html", cte="quoted-printable")
    return message.as_bytes()
