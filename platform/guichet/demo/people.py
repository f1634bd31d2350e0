"""The people of the demo, as its identity provider knows them and its pages list them."""

from typing import NamedTuple


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


class Person(NamedTuple):
    """Somebody who can sign in; `note` says what there is to see with them."""

    email: str
    name: str
    note: str


CUSTOMERS = (
    Person("ada@example.com", "Ada Lovelace", _("Active, with a year of invoices.")),
    Person(
        "grace@example.com",
        "Grace Hopper",
        _("Her last payment failed: it is tried again, and she gets mail."),
    ),
    Person("linus@example.com", "Linus Pauling", _("In a trial of another plan.")),
    Person("zoe@example.com", "Zoé Laurent", _("Cancelled some weeks ago.")),
)
STAFF = (
    Person("owner@atelier.example", "Camille Martin", "Owns the agency Atelier."),
    Person("admin@lumen.example", "Noor Haddad", "Administers Lumen."),
)
#: The agency that hosts the demo's merchants: slug and name.
AGENCY = ("atelier", "Atelier")
#: The demo's merchants: slug, and what they sell.
MERCHANTS = (
    ("lumen", _("Software, paid by the month or the year.")),
    ("marmite", _("Meal boxes, paid by the week.")),
    ("volta", _("Energy, paid by the month.")),
)
#: What stands behind the portals: the payment provider, and what the workers send.
SANDBOX = _("The payment provider of the demo: accounts, events, and clocks to be moved on.")
MAIL_LABEL = _("Mail")
MAIL = _("What the customers are sent when a payment fails, and at other times.")
