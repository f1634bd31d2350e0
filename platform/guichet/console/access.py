"""Who may use which route of the console; each route names one of these."""

from typing import Any

import msgspec

from tenants.staff import Role


class Access(msgspec.Struct, frozen=True):
    """What a route asks of a visitor."""

    #: Roles in the workspace that the address names.
    roles: frozenset[Role] = frozenset()
    #: Whether somebody has to be signed in at all.
    signed_in: bool = True
    #: Whether it is the same for everybody, so that nobody asks who it is.
    is_static: bool = False


def _allow(access: Access) -> dict[str, Any]:
    """As Litestar's handlers take it: `@get("/…", opt=EDITORS)`."""
    return {"access": access}


_EDITORS: tuple[Role, ...] = ("agency_owner", "agency_member", "owner", "admin")

#: Files.
STATIC = _allow(Access(signed_in=False, is_static=True))
#: Anybody, signed in or not.
OPEN = _allow(Access(signed_in=False))
#: Whoever is signed in; the page shows what they belong to.
SIGNED_IN = _allow(Access())
#: An agency's people.
AGENCY = _allow(Access(frozenset(("agency_owner", "agency_member"))))
#: Those of them who also decide who else is one.
AGENCY_OWNERS = _allow(Access(frozenset(("agency_owner",))))
#: Everybody in a merchant's workspace: figures, but nobody's name.
READERS = _allow(Access(frozenset((*_EDITORS, "support", "analyst"))))
#: Who may see customers and help them.
SUPPORTERS = _allow(Access(frozenset((*_EDITORS, "support"))))
#: Who may change settings and publish them.
EDITORS = _allow(Access(frozenset(_EDITORS)))
#: Who may let others own the workspace.
OWNERS = _allow(Access(frozenset(("agency_owner", "owner"))))
