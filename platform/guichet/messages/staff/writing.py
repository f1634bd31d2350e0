"""A claimed mail to one of the staff made ready for the wire, in the deployment's own look."""

from datetime import datetime
from uuid import UUID

import msgspec
import structlog

from guichet.auth.mail_links import make_link_token
from guichet.auth.staff.links import NOBODY, staff_link_token
from guichet.messages.composing import Envelope, compose, plain_address
from guichet.messages.facts import one_line
from guichet.messages.looks import MailBrand, make_look
from guichet.messages.staff.claiming import ClaimedForStaff
from guichet.messages.wording import Letter, Words
from guichet.messages.writing import Unwritable, Written
from guichet.settings import Settings
from guichet.tenancy import Directory
from guichet.theming.pages import Pages
from tenants.branding import Branding
from tenants.configuration import Configuration

log = structlog.get_logger()

#: The console's own look, among the themes.
_THEME = "console"
_NAME = "Guichet"


class StaffFacts(msgspec.Struct, frozen=True, kw_only=True):
    """What is queued with a mail; each kind uses some."""

    invitation: UUID | None = None
    #: The workspace's name, the role in it, and who invites.
    workspace: str = ""
    role: str = ""
    invited_by: str = ""


class DraftMail(msgspec.Struct, frozen=True, kw_only=True):
    """A mail of a merchant's draft, as it was written when somebody wanted it."""

    sender_name: str
    subject: str
    text: str
    html: str


class StaffWriter:
    """Writes the mails to staff."""

    def __init__(self, settings: Settings, directory: Directory, pages: Pages) -> None:
        self._settings = settings
        self._directory = directory
        self._pages = pages
        self._brand = _own_brand(pages)

    def write(self, mail: ClaimedForStaff) -> Written:
        """Write a mail; each try writes the same words under the same id. Raises `Unwritable`."""
        recipient = plain_address(mail.recipient)
        if recipient is None:
            raise Unwritable("address_unusable")
        if mail.good_until is None:
            raise Unwritable("outdated")
        try:
            letter, name = self._letter(mail, mail.good_until)
            content = compose(letter, self._envelope(mail, recipient, name))
        # Whatever it is, it is this mail's own, and must not hold up the others.
        except Exception as error:
            log.exception("staff_mail_unwritable", message=str(mail.id))
            raise Unwritable("unwritable") from error
        return Written(recipient, content)

    def _envelope(self, mail: ClaimedForStaff, recipient: str, name: str) -> Envelope:
        return Envelope(
            sender_name=name,
            sender=self._settings.mail_from,
            recipient=recipient,
            reply_to="",
            message_id=f"{mail.id}@{self._settings.base_host}",
            sent_at=mail.queued_at,
            unsubscribe="",
        )

    def _letter(self, mail: ClaimedForStaff, good_until: datetime) -> tuple[Letter, str]:
        """What is said, and in whose name."""
        if mail.kind == "test_mail":
            test = msgspec.json.decode(mail.facts, type=DraftMail)
            return Letter(test.subject, test.text, test.html), test.sender_name
        facts = _read_facts(mail.facts)
        template = self._pages.template(_THEME, f"mails/{mail.kind}.words", mail.locale)
        name = one_line(mail.name)
        said = template.make_module({"facts": facts, "name": name, "good_until": good_until})
        words = msgspec.convert(vars(said), _Said).words()
        context = {"brand": self._brand, "words": words, "link": self._link(mail, facts)}
        letter = Letter(
            words.subject,
            self._pages.render(_THEME, "mails/staff.txt", mail.locale, **context).decode(),
            self._pages.render(_THEME, "mails/staff.html", mail.locale, **context).decode(),
        )
        return letter, _NAME

    def _link(self, mail: ClaimedForStaff, facts: StaffFacts) -> str:
        keys = self._settings.master_keys
        if mail.kind == "sign_in":
            return self._directory.console_url(f"/sign-in/link/{staff_link_token(keys, mail.id)}")
        assert facts.invitation is not None
        token = make_link_token(keys, NOBODY, facts.invitation, "invitation")
        return self._directory.console_url(f"/invitations/{token}")


class _Said(msgspec.Struct):
    """The variables that every template of words sets."""

    subject: str
    title: str
    preheader: str
    paragraphs: list[str]
    rows: list[tuple[str, str]]
    action: str
    closing: str

    def words(self) -> Words:
        return Words(
            subject=one_line(self.subject),
            title=self.title,
            preheader=self.preheader,
            paragraphs=tuple(text for text in self.paragraphs if text),
            rows=tuple((label, value) for label, value in self.rows if value),
            action=self.action,
            closing=self.closing,
        )


def _read_facts(document: str) -> StaffFacts:
    """The facts of a row, with names that can stand in a line. Raises `ValidationError`."""
    facts = msgspec.json.decode(document, type=StaffFacts)
    return msgspec.structs.replace(
        facts,
        workspace=one_line(facts.workspace),
        invited_by=one_line(facts.invited_by),
    )


def _own_brand(pages: Pages) -> MailBrand:
    """What the deployment says of itself."""
    return MailBrand(
        name=_NAME,
        theme=_THEME,
        look=make_look(pages, Branding(theme=_THEME)),
        logo="",
        logo_dark="",
        support_email="",
        links=(),
        configuration=Configuration(),
    )
