"""A claimed mail made ready for the wire: language, words, links, headers."""

import msgspec
import structlog

from guichet.auth.mail_links import Purpose, make_link_token
from guichet.messages.claiming import Claimed
from guichet.messages.composing import Envelope, compose, plain_address
from guichet.messages.facts import MailFacts, read_facts
from guichet.messages.kinds import KINDS, Kind
from guichet.messages.looks import MailBrand
from guichet.messages.routing import Route
from guichet.messages.wording import Links, portal_path, write_letter
from guichet.settings import Settings
from guichet.tenancy import Directory, TenantEntry
from guichet.theming.locale import negotiate
from guichet.theming.pages import Pages
from tenants.features import Features

log = structlog.get_logger()

#: Their button opens the page of their invoice without sign-in.
_FIXING: tuple[Kind, ...] = ("payment_failed", "action_needed", "given_up")


class Unwritable(Exception):
    """A mail cannot be written, now or later. `reason` is a code."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class Written(msgspec.Struct, frozen=True):
    """What the server is given: a plain address and the whole mail."""

    recipient: str
    content: bytes


class Writer:
    """Writes the mails of every tenant."""

    def __init__(self, settings: Settings, directory: Directory, pages: Pages) -> None:
        self._master_keys = settings.master_keys
        self._host = settings.base_host
        self._directory = directory
        self._pages = pages

    def write(self, tenant: TenantEntry, brand: MailBrand, route: Route, mail: Claimed) -> Written:
        """Write a mail; each try writes the same words under the same id. Raises `Unwritable`."""
        recipient = plain_address(mail.recipient)
        if recipient is None:
            raise Unwritable("address_unusable")
        try:
            facts = read_facts(mail.facts)
            links = self._links(tenant, mail, facts, brand.configuration.features)
            locale = language(mail, brand)
            letter = write_letter(self._pages, brand, locale, mail.kind, facts, mail.at, links)
            content = compose(letter, self._envelope(brand, route, mail, recipient, links))
        # Whatever it is, it is this mail's own, and must not hold up the others.
        except Exception as error:
            log.exception("mail_unwritable", tenant=str(tenant.id), message=str(mail.id))
            raise Unwritable("unwritable") from error
        return Written(recipient, content)

    def _envelope(
        self, brand: MailBrand, route: Route, mail: Claimed, recipient: str, links: Links
    ) -> Envelope:
        return Envelope(
            sender_name=brand.name,
            sender=route.sender,
            recipient=recipient,
            reply_to=plain_address(brand.support_email) or "",
            message_id=f"{mail.id}@{self._host}",
            sent_at=mail.queued_at,
            unsubscribe=links.unsubscribe,
        )

    def _links(
        self, tenant: TenantEntry, mail: Claimed, facts: MailFacts, features: Features
    ) -> Links:
        path = portal_path(mail.kind, facts, features)
        if mail.kind in _FIXING and facts.invoice_id and facts.can_be_paid:
            path = self._token_path(tenant, mail, "fix")
        unsubscribe = (
            "" if KINDS[mail.kind].required else self._token_path(tenant, mail, "unsubscribe")
        )
        return Links(
            action=self._directory.url(tenant, path),
            preferences=self._directory.url(tenant, "/preferences") if features.preferences else "",
            unsubscribe=self._directory.url(tenant, unsubscribe) if unsubscribe else "",
        )

    def _token_path(self, tenant: TenantEntry, mail: Claimed, purpose: Purpose) -> str:
        return f"/{purpose}/{make_link_token(self._master_keys, tenant.id, mail.id, purpose)}"


def language(mail: Claimed, brand: MailBrand) -> str:
    """What the customer chose, else what the provider knows they read, else the merchant's own."""
    header = ",".join(mail.languages)
    return negotiate(mail.language, header, brand.configuration.locale)
