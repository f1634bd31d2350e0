"""One request to the console: who is asking, in which workspace, and what they may do there."""

from typing import Any, NamedTuple
from urllib.parse import quote
from uuid import UUID

from litestar import Request
from litestar.datastructures import Cookie
from litestar.response.base import ASGIResponse
from litestar.types import HTTPScope

from guichet import audit
from guichet.auth.client_addresses import client_address
from guichet.auth.cookies import Cookies, browser_cookie, read_cookies
from guichet.auth.csrf import check_form, csrf_token
from guichet.auth.devices import device_label
from guichet.auth.paths import local_path, sign_in_path
from guichet.auth.sessions import new_token
from guichet.auth.staff.links import NOBODY
from guichet.auth.staff.sessions import StaffSession, find_staff_session
from guichet.auth.staff.signing_in import StaffSignIn, StaffVisitor
from guichet.console.access import EDITORS, Access
from guichet.console.shell import ConsoleShell, navigation, workspace_path
from guichet.db import Connection, Unit
from guichet.deployment import Deployment
from guichet.errors import Forbidden, NotFound, SignInRequired
from guichet.tenancy import TenantEntry
from guichet.theming.locale import negotiate
from guichet.web.failures import TooLarge
from guichet.web.forms import Form, Uploads, read_posted
from guichet.web.languages import chosen_language, language_links
from tenants.drafts import has_changes
from tenants.staff import (
    Staff,
    Workspace,
    find_agency_workspace,
    find_merchant_workspace,
    list_workspaces,
)

#: Where the edge leaves an `Arrival` in the ASGI scope.
ARRIVAL = "guichet.arrival"
#: The console's own look, among the themes.
THEME = "console"
#: In this order.
_SCRIPTS = ("console.js", "saving.js")
#: Litestar adds the charset to a text.
HTML = "text/html"
#: The largest form has a few fields for each of two hundred plans.
_MAX_FIELDS = 2000
#: Who is not signed in has an address or a name to send, and reading a form takes time.
_LARGEST_OF_STRANGERS = 16 * 1024


class Arrival(NamedTuple):
    """A request as the edge hands it over."""

    deployment: Deployment
    request_id: str


class NotYourRole(Forbidden):
    """Your role in this workspace does not allow this. Please ask somebody who owns it."""

    code = "not_your_role"


class Visit:
    """A request to the console, with what its handler needs to answer it."""

    def __init__(self, arrival: Arrival, scope: HTTPScope) -> None:
        self.deployment = arrival.deployment
        self.request_id = arrival.request_id
        self.scope = scope
        self.cookies: Cookies = read_cookies(scope["headers"], arrival.deployment.settings)
        self.session: StaffSession | None = None
        self.workspaces: tuple[Workspace, ...] = ()
        #: The workspace that the address names, if it names one.
        self._place: Workspace | None = None
        #: What was posted; its token is checked before a handler sees it.
        self.form: Form = {}
        self.uploads: Uploads = {}
        #: Whether there are changes that nobody has published, for who may publish them.
        self.has_draft = False

    # Who and where

    @property
    def staff(self) -> Staff:
        """Who is signed in; raises `SignInRequired`."""
        if self.session is None:
            raise SignInRequired
        return self.session.staff

    @property
    def place(self) -> Workspace:
        """The workspace that the address names; raises `NotFound` where it names none."""
        if self._place is None:
            raise NotFound
        return self._place

    @property
    def tenant(self) -> TenantEntry:
        """The merchant of this workspace; raises `NotFound`."""
        found = self.deployment.directory.by_id(self.place.id)
        if found is None:
            raise NotFound
        return found

    @property
    def sign_in(self) -> StaffSignIn:
        return self.deployment.staff_sign_in

    async def enter(self, access: Access, names: dict[str, Any]) -> None:
        """Find out who it is and let them in.

        Raises `SignInRequired`, `NotFound` for a workspace of others, `NotYourRole`.
        """
        if access.is_static:
            return
        token = self.cookies.session
        async with self.deployment.db.system() as connection:
            self.session = await find_staff_session(connection, token) if token else None
            if self.session is None:
                if access.signed_in:
                    raise SignInRequired
                return
            staff_id = self.session.staff.id
            self.workspaces = tuple(await list_workspaces(connection, staff_id))
            self._place = await _find_place(connection, staff_id, names)
        if not access.roles:
            return
        if self._place is None:
            raise NotFound
        if self._place.role not in access.roles:
            raise NotYourRole
        if self._place.kind == "merchant" and self._place.role in EDITORS["access"].roles:
            async with self.deployment.db.unit(self._place.id) as unit:
                self.has_draft = await has_changes(unit.connection, unit.tenant_id)

    async def read(self, request: Request[Any, Any, Any]) -> None:
        """Read what was posted; refuses what our own page for this session did not send."""
        if self.session is None and len(await request.body()) > _LARGEST_OF_STRANGERS:
            raise TooLarge
        self.form, self.uploads = await read_posted(request, _MAX_FIELDS)
        check_form(
            self.scope["headers"], self.form.pop("csrf", None), self._secret, NOBODY, self.origin
        )

    @property
    def visitor(self) -> StaffVisitor:
        """The browser, as signing in sees it."""
        return StaffVisitor(
            address=client_address(self.scope, self.deployment.settings.trusted_proxies),
            browser=self.cookies.browser,
            session=self.cookies.session,
            device=device_label(self.header(b"user-agent")),
            locale=self.locale,
        )

    # What happens

    async def record(
        self, unit: Unit, action: str, subject: str, details: dict[str, object]
    ) -> None:
        """Add an audit row to a merchant's log, in the transaction of what it tells."""
        await audit.record(
            unit, "staff", self.staff.email, action, subject, details, self.request_id
        )

    # Pages

    @property
    def origin(self) -> str:
        return self.deployment.directory.console_url("").rstrip("/")

    def header(self, name: bytes) -> str:
        """A request header's first value, or the empty string."""
        return next((v.decode("latin-1") for key, v in self.scope["headers"] if key == name), "")

    @property
    def locale(self) -> str:
        """The person's setting, else this browser's choice, else its languages."""
        chosen = self.session.staff.locale if self.session else None
        if chosen is None:
            cookies = self.header(b"cookie").encode("latin-1")
            chosen = chosen_language(cookies, self.deployment.settings)
        return negotiate(chosen, self.header(b"accept-language"), "en")

    def path(self, path: str = "") -> str:
        """The address of a page of this workspace."""
        return workspace_path(self.place, path)

    @property
    def here(self) -> str:
        """The page that the visitor is looking at: this one, or the one whose form was sent."""
        if self.scope["method"] != "GET":
            return local_path(self.header(b"referer").removeprefix(self.origin))
        path = quote(self.scope["path"])
        query = self.scope["query_string"].decode("latin-1")
        return f"{path}?{query}" if query else path

    def sign_in_path(self) -> str:
        """The sign-in page, from which the visitor comes back to the one they look at."""
        return sign_in_path(self.here)

    @property
    def csrf(self) -> str:
        """The token that this browser's forms carry; empty without a cookie to bind it to."""
        return csrf_token(self._secret, NOBODY) if self._secret else ""

    @property
    def _secret(self) -> str | None:
        # Before the sign-in a form is bound to the browser's cookie, afterwards to the session's.
        return self.cookies.session if self.session else self.cookies.browser

    def page(self, template: str, status: int = 200, **context: object) -> ASGIResponse:
        """Render one of the console's pages; a visitor's forms get a cookie to be bound to."""
        made = new_token() if self.session is None and self.cookies.browser is None else ""
        if made:
            self.cookies = Cookies(self.cookies.session, made)
        locale = self.locale
        body = self.deployment.pages.render(
            THEME, template, locale, shell=self._shell(locale), status=status, **context
        )
        cookies: tuple[Cookie, ...] = ()
        if made and self.csrf.encode() in body:
            cookies = (browser_cookie(self.deployment.settings).holding(made),)
        return ASGIResponse(body=body, status_code=status, media_type=HTML, cookies=cookies)

    def redirect(self, path: str, cookies: tuple[Cookie, ...] = ()) -> ASGIResponse:
        """Go on with a GET to another page."""
        return ASGIResponse(status_code=303, headers={"location": path}, cookies=cookies)

    def _shell(self, locale: str) -> ConsoleShell:
        place = self._place
        directory = self.deployment.directory
        tenant = directory.by_id(place.id) if place and place.kind == "merchant" else None
        return ConsoleShell(
            locale=locale,
            scripts=tuple(self.deployment.pages.script(name) for name in _SCRIPTS),
            csrf=self.csrf,
            path=self.scope["path"],
            request_id=self.request_id,
            languages=language_links(locale, self.here),
            staff=self.session.staff if self.session else None,
            place=place,
            workspaces=self.workspaces,
            navigation=navigation(place, self.scope["path"]) if place else (),
            portal_url=directory.url(tenant) if tenant else "",
            has_draft=self.has_draft,
        )


async def _find_place(
    connection: Connection, staff_id: UUID, names: dict[str, Any]
) -> Workspace | None:
    if "merchant" in names:
        return await find_merchant_workspace(connection, staff_id, str(names["merchant"]))
    if "agency" in names:
        return await find_agency_workspace(connection, staff_id, str(names["agency"]))
    return None


def visit_at(request: Request[Any, Any, Any]) -> Visit:
    """The visit of a request, made at its first use: before its handler, or for its error page."""
    state = request.scope["state"]
    if "visit" not in state:
        state["visit"] = Visit(state[ARRIVAL], request.scope)
    visit: Visit = state["visit"]
    return visit


async def visit_of(request: Request[Any, Any, Any]) -> Visit:
    """The visit of whoever may use this route; handlers take it as `visit`."""
    visit = visit_at(request)
    access: Access = request.route_handler.opt["access"]
    await visit.enter(access, request.path_params)
    if request.method == "POST":
        await visit.read(request)
    return visit
