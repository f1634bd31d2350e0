"""What a new portal needs, in the order in which it takes ten minutes."""

import msgspec

from guichet.metrics.health import Health
from tenants.branding import Branding
from tenants.configuration import Configuration
from tenants.drafts import Draft


def _(message: str) -> str:
    """Mark a sentence for the catalogues; it is translated where it is shown."""
    return message


class Step(msgspec.Struct, frozen=True):
    """One thing to do, and whether it is done."""

    title: str
    text: str
    path: str
    is_done: bool


def steps(health: Health, draft: Draft) -> tuple[Step, ...]:
    """All of them; the draft counts, for what is only written is not lost."""
    now, usual = draft.configuration, Configuration()
    rules = (now.changes, now.cancel, now.features, now.retries)
    return (
        Step(
            _("Connect your payment provider"),
            _("A key of your Stripe account, in test mode to begin with."),
            "/connections",
            health.key == "ok",
        ),
        Step(
            _("Choose the plans"),
            _("Import your products and say which of them customers may choose."),
            "/plans",
            bool(now.plans),
        ),
        Step(
            _("Make it look like you"),
            _("Logo, colours, and a look at every page before anybody sees it."),
            "/branding",
            now.branding != Branding(),
        ),
        Step(
            _("Set the rules"),
            _("Which changes apply now, which later, and which not at all."),
            "/changes",
            rules != (usual.changes, usual.cancel, usual.features, usual.retries),
        ),
        Step(
            _("Let customers sign in"),
            _("With your own identity provider, checked and tried before it is used."),
            "/sign-in-providers",
            bool(now.identity_providers),
        ),
        Step(
            _("Publish"),
            _("Everything at once, with a way back."),
            "/publish",
            bool(draft.published.configuration.plans),
        ),
    )


def is_live(health: Health, draft: Draft) -> bool:
    """Whether customers can do something here already: then figures come first."""
    return health.key != "missing" and bool(draft.published.configuration.plans)
