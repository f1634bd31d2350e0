"""One request to a portal: whose it is, who is asking, and in which language to answer."""

from typing import Any
from urllib.parse import quote

from litestar import Request
from litestar.datastructures import Cookie
from litestar.response.base import ASGIResponse
from litestar.types import HTTPScope

from guichet.auth.cookies import Cookies, read_cookies
from guichet.auth.csrf import check_form, csrf_token
from guichet.auth.paths import local_path, sign_in_path
from guichet.auth.sessions import Session, find_session, token_hash
from guichet.auth.signing_in import SignIn
from guichet.auth.support import SupportView, find_viewed, view_hash
from guichet.db import Unit
from guichet.deployment import Deployment
from guichet.errors import SignInRequired
from guichet.portal.brand import Brand
from guichet.portal.stilling import still_forms
from guichet.portal.switches import check_switched_on
from guichet.tenancy import TenantEntry
from guichet.theming.locale import negotiate
from guichet.theming.shell import Shell, SupportMark
from guichet.web.languages import chosen_language, language_links
from tenants.configuration import Configuration

#: Where the edge leaves a `Visit` in the ASGI scope.
VISIT = "guichet.visit"

#: Litestar adds the charset to a text.
HTML = "text/html"


class Visit:
    """A request to one tenant's portal, with what its handler needs to answer it."""

    __slots__ = (
        "_cookies",
        "brand",
        "deployment",
        "is_head",
        "request_id",
        "scope",
        "session",
        "support",
        "support_is_over",
        "tenant",
    )

    def __init__(
        self,
        deployment: Deployment,
        tenant: TenantEntry,
        brand: Brand,
        scope: HTTPScope,
        request_id: str,
        *,
        is_head: bool = False,
    ) -> None:
        self.deployment = deployment
        self.tenant = tenant
        self.brand = brand
        self.scope = scope
        self.request_id = request_id
        #: Whether nobody will see the page: then no handler does what only a visitor asks for.
        self.is_head = is_head
        #: The signed-in customer, once a handler has asked.
        self.session: Session | None = None
        #: Set while one of the staff looks at a customer's portal, and changes nothing.
        self.support: SupportView | None = None
        #: Whether this browser thinks so, and is mistaken.
        self.support_is_over = False
        self._cookies: Cookies | None = None

    @property
    def configuration(self) -> Configuration:
        """What the merchant published."""
        return self.brand.configuration

    @property
    def sign_in(self) -> SignIn:
        """What signs customers in."""
        return self.deployment.sign_in

    @property
    def cookies(self) -> Cookies:
        """The tokens in this request's cookies; raises `DuplicateCookie`."""
        if self._cookies is None:
            self._cookies = read_cookies(self.scope["headers"], self.deployment.settings)
        return self._cookies

    @property
    def origin(self) -> str:
        """This portal's own origin, without a trailing slash."""
        return self.deployment.directory.url(self.tenant, "").rstrip("/")

    def header(self, name: bytes) -> str:
        """A request header's first value, or the empty string."""
        return next((v.decode("latin-1") for key, v in self.scope["headers"] if key == name), "")

    @property
    def locale(self) -> str:
        """The customer's setting, else this browser's choice, its languages, the tenant's."""
        chosen = self.session.locale if self.session else None
        if chosen is None:
            cookies = self.header(b"cookie").encode("latin-1")
            chosen = chosen_language(cookies, self.deployment.settings)
        return negotiate(chosen, self.header(b"accept-language"), self.configuration.locale)

    def look_as(self, view: SupportView) -> None:
        """Answer as in this support view: whoever is signed in in this browser is not asked for."""
        self.support = view
        self._cookies = Cookies(None, None, self.cookies.support)

    @property
    def session_hash(self) -> bytes | None:
        """What the database knows this visitor by; None for nobody."""
        if self.support and self.cookies.support:
            return view_hash(self.cookies.support)
        return token_hash(self.cookies.session) if self.cookies.session else None

    async def identify(self, unit: Unit) -> Session:
        """Whose portal this is; raises `SignInRequired`."""
        token = self.cookies.session
        if self.support:
            self.session = await find_viewed(unit, self.support)
        else:
            self.session = await find_session(unit, token) if token else None
        if self.session is None:
            raise SignInRequired
        return self.session

    def check_form(self, form: dict[str, str]) -> None:
        """Refuse a form that our own page for this session did not send; raises `ForgedForm`."""
        check_form(
            self.scope["headers"],
            form.get("csrf"),
            self.cookies.session,
            self.tenant.id,
            self.origin,
        )

    def page(self, template: str, status: int = 200, **context: object) -> ASGIResponse:
        """Render one of the tenant's pages; `status` is in its context too."""
        locale = self.locale
        body = self.deployment.pages.render(
            self.brand.theme, template, locale, shell=self._shell(locale), status=status, **context
        )
        if self.support:
            body = still_forms(body)
        return ASGIResponse(body=body, status_code=status, media_type=HTML)

    def redirect(self, path: str, cookies: tuple[Cookie, ...] = ()) -> ASGIResponse:
        """Go on with a GET to another page: of this portal, or where the provider shows it."""
        return ASGIResponse(status_code=303, headers={"location": path}, cookies=cookies)

    @property
    def place(self) -> str:
        """The page that the visitor is looking at: this one, or the one whose form was sent."""
        if self.scope["method"] != "GET":
            referrer = self.header(b"referer")
            return local_path(referrer.removeprefix(self.origin))
        path = quote(self.scope["path"])
        query = self.scope["query_string"].decode("latin-1")
        return f"{path}?{query}" if query else path

    def sign_in_path(self) -> str:
        """The sign-in page, from which the visitor comes back to the one they look at."""
        return sign_in_path(self.place)

    def _shell(self, locale: str) -> Shell:
        brand, session, path = self.brand, self.session, self.scope["path"]
        branding = brand.configuration.branding
        return Shell(
            tenant_name=self.tenant.name,
            locale=locale,
            theme=brand.theme,
            scheme=branding.scheme,
            stylesheets=brand.stylesheets,
            script=brand.script,
            logo=brand.logo,
            logo_dark=brand.logo_dark,
            icon=brand.icon,
            headline=branding.headline.get(locale, ""),
            texts=brand.texts[locale],
            links=brand.links,
            support_email=brand.configuration.support_email,
            csrf=self.csrf,
            path=path,
            signed_in=session is not None,
            customer_label=(session.customer_name or session.customer_email or "")
            if session
            else "",
            languages=language_links(locale, self.place),
            features=brand.configuration.features,
            request_id=self.request_id,
            support=self._support_mark(),
        )

    def _support_mark(self) -> SupportMark | None:
        view, token = self.support, self.cookies.support
        if view is None or token is None:
            return None
        return SupportMark(view.staff_name, view.expires_at, csrf_token(token, self.tenant.id))

    @property
    def csrf(self) -> str:
        """The token that this session's forms carry; empty for a visitor."""
        token = self.cookies.session
        return csrf_token(token, self.tenant.id) if token and self.session else ""


def visit_at(request: Request[Any, Any, Any]) -> Visit:
    """The visit that the edge put into a request, for its error page too."""
    visit: Visit = request.scope["state"][VISIT]
    return visit


def visit_of(request: Request[Any, Any, Any]) -> Visit:
    """The visit that handlers take as `visit`.

    Raises `NotFound` for what the merchant has switched off.
    """
    visit = visit_at(request)
    check_switched_on(visit.configuration, request.route_handler.opt)
    return visit
