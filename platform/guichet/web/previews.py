"""What can be looked at in the preview of a draft: pages, and customers to see them as."""

import msgspec

from tenants.mails import MailKind


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


#: Pages of the portal by their name in a preview's address, with what the chooser calls them.
PAGES = {
    "home": _("Subscriptions"),
    "change": _("Choose a plan"),
    "change_review": _("Confirm a change"),
    "cancel": _("Cancel a subscription"),
    "invoices": _("Invoices"),
    "payment_methods": _("Payment methods"),
    "pay": _("Pay a failed payment"),
    "preferences": _("Preferences"),
    "sign_in": _("Sign-in"),
    "error": _("An error"),
}

#: Customers who do not exist, by the state of what they have.
STATES = {
    "active": _("Active"),
    "trial": _("In a trial"),
    "past_due": _("Payment overdue"),
    "cancelling": _("About to end"),
    "ended": _("Ended"),
    "none": _("Nothing yet"),
    "many": _("Many, with long names"),
    "yen": _("Paid in yen"),
}

SCHEMES = {"": _("As the visitor has it"), "light": _("Light"), "dark": _("Dark")}


class Look(msgspec.Struct, frozen=True):
    """What a preview shows."""

    page: str = "home"
    state: str = "active"
    locale: str = "en"
    #: light or dark; empty leaves it to the visitor's browser.
    scheme: str = ""


#: As which of its two parts a mail is looked at.
FORMS = {"html": _("As most programs show it"), "text": _("As plain text")}


class MailLook(msgspec.Struct, frozen=True):
    """Which mail a preview shows, and how."""

    kind: MailKind = "payment_failed"
    locale: str = "en"
    #: html or text.
    form: str = "html"
    #: light or dark; empty leaves it to the reader's program.
    scheme: str = ""
