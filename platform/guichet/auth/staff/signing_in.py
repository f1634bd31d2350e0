"""A sign-in of staff from its first click to its session, by OIDC or by a mailed link."""

import contextlib
from collections.abc import AsyncIterator
from uuid import UUID

import msgspec
from redis.asyncio import Redis

from guichet.auth.discovery import Discovery
from guichet.auth.failures import SignInDeclined, SignInFailed
from guichet.auth.identity_http import open_identity_http
from guichet.auth.oidc import Callback, Exchange, RelyingParty
from guichet.auth.sessions import new_token
from guichet.auth.signing_in import Finished, Started
from guichet.auth.staff.attempts import begin_staff_attempt, take_staff_attempt
from guichet.auth.staff.invitations import accept_invitation, read_invitation
from guichet.auth.staff.links import (
    NOBODY,
    StaffLink,
    find_staff_link,
    use_staff_link,
)
from guichet.auth.staff.mail import queue_staff_message
from guichet.auth.staff.people import link_staff
from guichet.auth.staff.sessions import open_staff_session, revoke_staff_session
from guichet.auth.throttle import Throttle
from guichet.db import Database
from guichet.settings import Settings
from tenants.identity_providers import IdentityProvider
from tenants.invitations import Invitation
from tenants.staff import MalformedEmail, canonical_email

#: Links that one address of mail is sent in a minute, at most.
_LINKS_A_MINUTE = 3


class NotStaff(SignInFailed):
    """You belong to no workspace here. Somebody who owns one can invite you by mail."""

    status = 403
    code = "not_staff"


class StaffVisitor(msgspec.Struct, frozen=True):
    """A browser at the console's door, as its request shows it."""

    #: The client's address, as `client_address` has it.
    address: str
    #: Values of our cookies.
    browser: str | None
    session: str | None
    #: What to call the browser, from `device_label`.
    device: str
    locale: str


class StaffSignIn:
    """Signs staff in."""

    def __init__(
        self,
        settings: Settings,
        db: Database,
        relying_party: RelyingParty,
        throttle: Throttle,
        links_throttle: Throttle,
    ) -> None:
        self._settings = settings
        self._db = db
        self._relying_party = relying_party
        self._throttle = throttle
        self._links_throttle = links_throttle

    @property
    def provider(self) -> IdentityProvider | None:
        """The deployment's own identity provider for staff, if it has one."""
        if not self._settings.staff_oidc_issuer:
            return None
        return IdentityProvider(
            id="oidc",
            label=self._settings.staff_oidc_label,
            issuer=self._settings.staff_oidc_issuer,
            client_id=self._settings.staff_oidc_client_id,
        )

    async def start(
        self, visitor: StaffVisitor, provider: IdentityProvider, redirect_uri: str, next_path: str
    ) -> Started:
        """Begin an attempt bound to this browser; raises `SignInFailed`."""
        await self._throttle.count("staff-start", NOBODY, visitor.address)
        browser = visitor.browser or new_token()
        async with self._db.system() as connection:
            state, attempt = await begin_staff_attempt(connection, browser, next_path)
        url = await self._relying_party.authorization_url(
            provider, redirect_uri, state, attempt.nonce, attempt.code_verifier
        )
        return Started(url, browser)

    async def finish(
        self,
        visitor: StaffVisitor,
        provider: IdentityProvider,
        redirect_uri: str,
        callback: Callback,
    ) -> Finished:
        """Use up the attempt, learn who it is, and open a session; raises `SignInFailed`."""
        await self._throttle.count("staff-callback", NOBODY, visitor.address)
        if callback.error == "access_denied" and not callback.state:
            raise SignInDeclined(reason="access_denied, without the state")
        async with self._db.system() as connection:
            attempt = await take_staff_attempt(connection, visitor.browser, callback.state)
        await self._relying_party.check_callback(provider, callback)
        exchange = Exchange(
            client_secret=self._settings.staff_oidc_client_secret or None,
            redirect_uri=redirect_uri,
            code=callback.code,
            code_verifier=attempt.code_verifier,
            nonce=attempt.nonce,
        )
        claims = await self._relying_party.redeem(provider, exchange)
        async with self._db.system() as connection:
            staff = await link_staff(connection, claims)
            if staff is None:
                raise NotStaff(reason="nobody of the staff has this email")
            token = await open_staff_session(
                connection, staff.id, "oidc", visitor.device, visitor.session
            )
        return Finished(token, attempt.next_path)

    async def mail_link(self, visitor: StaffVisitor, email: str, next_path: str) -> None:
        """Have a link mailed to a person with this address; says nothing of whether there is one.

        Raises `SignInFailed` where there were too many tries.
        """
        await self._throttle.count("staff-link", NOBODY, visitor.address)
        try:
            plain = canonical_email(email)
        except MalformedEmail:
            return
        await self._links_throttle.count_name("staff-link-to", NOBODY, plain)
        # The same for everybody: whether there is such a person is looked up by the worker.
        async with self._db.system() as connection:
            await queue_staff_message(
                connection, "sign_in", plain, visitor.locale, {"next": next_path}
            )

    async def look_at_link(self, visitor: StaffVisitor, token: str) -> StaffLink:
        """Whom a link would let in; raises `SignInFailed`."""
        await self._throttle.count("staff-look", NOBODY, visitor.address)
        async with self._db.system() as connection:
            return await find_staff_link(connection, self._settings.master_keys, token)

    async def follow_link(self, visitor: StaffVisitor, token: str) -> Finished:
        """Use up a link and open a session; raises `SignInFailed`."""
        await self._throttle.count("staff-follow", NOBODY, visitor.address)
        async with self._db.system() as connection:
            link = await use_staff_link(connection, self._settings.master_keys, token)
            opened = await open_staff_session(
                connection, link.staff.id, "link", visitor.device, visitor.session
            )
        return Finished(opened, link.next_path)

    async def allow_invitation(self, place_id: UUID, email: str) -> None:
        """Count one invitation of a workspace to an address, which nobody may flood with mails.

        Raises `SignInFailed`.
        """
        await self._throttle.count_name("staff-invite", place_id, "all")
        await self._links_throttle.count_name("staff-invite-to", NOBODY, email)

    async def allow_test_mail(self, place_id: UUID, email: str) -> None:
        """Count one mail of a draft to somebody of the staff. Raises `SignInFailed`."""
        await self._links_throttle.count_name("staff-test-mail", place_id, email)

    async def look_at_invitation(self, visitor: StaffVisitor, token: str) -> Invitation:
        """What an invitation is for; raises `SignInFailed`."""
        await self._throttle.count("staff-look", NOBODY, visitor.address)
        async with self._db.system() as connection:
            return await read_invitation(connection, self._settings.master_keys, token)

    async def accept_invitation(
        self, visitor: StaffVisitor, token: str, name: str, request_id: str
    ) -> tuple[str, Invitation]:
        """Use up an invitation and open a session of the person it is for; answers its token.

        Raises `SignInFailed`.
        """
        await self._throttle.count("staff-follow", NOBODY, visitor.address)
        async with self._db.system() as connection:
            staff, invitation = await accept_invitation(
                connection, self._settings.master_keys, token, name, request_id
            )
            opened = await open_staff_session(
                connection, staff.id, "link", visitor.device, visitor.session
            )
        return opened, invitation

    async def sign_out(self, visitor: StaffVisitor) -> None:
        """End the browser's session, wherever its token may have been copied to."""
        if visitor.session is not None:
            async with self._db.system() as connection:
                await revoke_staff_session(connection, visitor.session)


@contextlib.asynccontextmanager
async def open_staff_sign_in(settings: Settings, db: Database) -> AsyncIterator[StaffSignIn]:
    """Open the connections to the identity provider and to Redis; plain http in the demo only."""
    redis = Redis.from_url(settings.redis_url, socket_timeout=2, socket_connect_timeout=2)
    async with open_identity_http(settings.demo) as http, contextlib.aclosing(redis):
        party = RelyingParty(http, Discovery(http))
        yield StaffSignIn(
            settings, db, party, Throttle(redis), Throttle(redis, limit=_LINKS_A_MINUTE)
        )
