"""How a portal stands, in words: what of it works, and what somebody has to look at."""

from collections.abc import Iterator
from typing import Literal, NamedTuple

from guichet.metrics.health import Health


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


class Mark(NamedTuple):
    """A word or two on one thing; `kind` is a badge's."""

    kind: Literal["positive", "neutral", "caution", "negative"]
    text: str


def marks(health: Health) -> tuple[Mark, ...]:
    """What is to be seen of a portal, the worst first; one good word where there is nothing."""
    return tuple(_marks(health)) or (Mark("positive", _("All well")),)


def _marks(health: Health) -> Iterator[Mark]:
    if health.key == "rejected":
        yield Mark("negative", _("Key rejected"))
    if health.domains == "lost":
        yield Mark("negative", _("Domain lost"))
    if health.webhooks == "silent":
        yield Mark("caution", _("Webhooks silent"))
    if health.mails_failed:
        yield Mark("caution", _("Mails failing"))
    if health.key == "missing":
        yield Mark("neutral", _("No key"))
    elif health.webhooks == "missing":
        yield Mark("neutral", _("No webhooks"))
    if health.domains == "unverified":
        yield Mark("neutral", _("Domain not proved"))
    if health.draft:
        yield Mark("neutral", _("Unpublished changes"))
