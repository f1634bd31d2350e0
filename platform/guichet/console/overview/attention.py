"""What of a portal somebody has to look at, and the way there."""

from collections.abc import Iterator
from typing import Literal

import msgspec

from guichet.metrics.health import Health


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


class Point(msgspec.Struct, frozen=True):
    """One thing: what happened and what it means, and the page of the workspace to mend it on."""

    kind: Literal["info", "caution", "negative"]
    title: str
    text: str
    path: str
    action: str
    #: Of what there are so many.
    number: int = 0


def points(health: Health, is_suspended: bool) -> Iterator[Point]:
    """Everything that needs attention, the most urgent first."""
    if is_suspended:
        yield Point(
            "negative",
            _("This portal is suspended"),
            _("Customers see that it is closed, and nothing works in the background."),
            "/audit",
            _("See why"),
        )
    if health.key == "rejected":
        yield Point(
            "negative",
            _("The payment provider turns the key away"),
            _("Nothing is read or charged until there is one that it accepts."),
            "/connections",
            _("Check the key"),
        )
    yield from _domain_points(health)
    if health.webhooks == "silent":
        yield Point(
            "caution",
            _("Webhooks do not arrive"),
            _("What happens at the provider is found minutes later than it could be."),
            "/connections",
            _("Check the webhook"),
        )
    elif health.webhooks == "missing" and health.key != "missing":
        yield Point(
            "caution",
            _("There is no webhook yet"),
            _("What happens at the provider is found minutes later than it could be."),
            "/connections",
            _("Add the webhook"),
        )
    yield from _people_points(health)
    if health.draft:
        yield Point(
            "info",
            _("There are changes that nobody has published"),
            _("Customers see them once they are."),
            "/publish",
            _("Look and publish"),
        )


def _domain_points(health: Health) -> Iterator[Point]:
    if health.domains == "lost":
        yield Point(
            "negative",
            _("A domain does not lead here any more"),
            _("Its records are gone, so the portal may not be reached there."),
            "/domains",
            _("See the records"),
        )
    elif health.domains == "unverified":
        yield Point(
            "info",
            _("A domain waits for its proof"),
            _("The portal is not shown there before it is proved."),
            "/domains",
            _("See the records"),
        )


def _people_points(health: Health) -> Iterator[Point]:
    if health.asking:
        yield Point(
            "caution",
            _("Payments that wait for their customers: %(number)s"),
            _("Their banks want them to confirm, or another card. They were asked by mail."),
            "/customers",
            _("See the customers"),
            health.asking,
        )
    if health.mails_failed:
        yield Point(
            "caution",
            _("Mails that could not be delivered in seven days: %(number)s"),
            _("Some addresses may be wrong, or the mail server refuses them."),
            "/customers",
            _("See the customers"),
            health.mails_failed,
        )
