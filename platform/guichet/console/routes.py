"""Every route of the console; the tests compare them with their table of who may use which."""

from guichet.console.door import assets, home, sign_in
from guichet.console.settings import cancelling

HANDLERS = (
    home.home,
    home.choose_language,
    assets.asset,
    *sign_in.HANDLERS,
    *cancelling.HANDLERS,
)
