"""An agency's audit log."""

from litestar import get
from litestar.di import NamedDependency
from litestar.response import Stream
from litestar.response.base import ASGIResponse

from guichet.console.access import AGENCY
from guichet.console.audit import pages
from guichet.console.visit import Visit


@get("/agencies/{agency:str}/audit", opt=AGENCY)
async def audit_log(visit: NamedDependency[Visit]) -> ASGIResponse:
    """Who did what, newest first."""
    return await pages.show(visit)


@get("/agencies/{agency:str}/audit.csv", opt=AGENCY)
async def audit_file(visit: NamedDependency[Visit]) -> Stream:
    """The same as a file."""
    return pages.send_file(visit)


HANDLERS = (audit_log, audit_file)
