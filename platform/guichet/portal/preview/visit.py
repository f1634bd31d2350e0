"""A visit to a page that is drawn for a preview: nobody's, in the language that was asked for."""

from uuid import UUID

from litestar.types import HTTPScope

from guichet.auth.sessions import Session
from guichet.deployment import Deployment
from guichet.portal.brand import Brand
from guichet.portal.preview.pages import Drawn
from guichet.portal.visit import Visit
from guichet.tenancy import TenantEntry
from guichet.web.previews import Look

_SOMEBODY = Session(UUID(int=0), "cus_sample", "camille@example.com", "Camille Martin", None)


class PreviewVisit(Visit):
    """Like a customer's visit to the same page, but for the cookies, of which there are none."""

    __slots__ = ("_look",)

    def __init__(
        self,
        deployment: Deployment,
        tenant: TenantEntry,
        brand: Brand,
        scope: HTTPScope,
        request_id: str,
        drawn: Drawn,
        look: Look,
    ) -> None:
        here: HTTPScope = {**scope, "path": drawn.path, "query_string": b"", "headers": []}
        super().__init__(deployment, tenant, brand, here, request_id)
        self.session = _SOMEBODY if drawn.signed_in else None
        self._look = look

    @property
    def locale(self) -> str:
        return self._look.locale

    @property
    def csrf(self) -> str:
        return ""
