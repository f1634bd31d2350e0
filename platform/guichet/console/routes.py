"""Every route of the console; the tests compare them with their table of who may use which."""

from guichet.console.agency import merchants, new_merchant
from guichet.console.connections import domains
from guichet.console.door import assets, home, invitations, sign_in
from guichet.console.members import agency as agency_members
from guichet.console.members import merchant as merchant_members
from guichet.console.settings import cancelling

HANDLERS = (
    home.home,
    home.choose_language,
    assets.asset,
    *sign_in.HANDLERS,
    *invitations.HANDLERS,
    *merchant_members.HANDLERS,
    *agency_members.HANDLERS,
    *cancelling.HANDLERS,
    *domains.HANDLERS,
    *merchants.HANDLERS,
    *new_merchant.HANDLERS,
)
