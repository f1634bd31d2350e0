"""The demo's mail pages in each of their situations."""

from typing import Any

from guichet.demo.mail_pages import Line
from guichet.demo.mailbox import Mail
from tests.theming.samples import LONG_NAME, NOW

MAIL = Mail(
    id="01795435901929740064-2f0f1612",
    received_at=NOW,
    merchant="Lumen",
    sender="mail@guichet.example",
    person="grace@example.com",
    subject=f"Your payment for {LONG_NAME} did not go through",
    html="",
    text="Hello Grace,\n\nyour payment did not go through.\n",
    headers=(("From", "Lumen <mail@guichet.example>"), ("Message-ID", f"<{'0' * 60}@localhost>")),
)
LINE = Line(
    url=f"/_demo/mail/{MAIL.id}",
    merchant="Lumen",
    person="grace.brewster.murray.hopper@subdomain.example.com",
    subject=MAIL.subject,
    preview=MAIL.text * 3,
    received="11/23/26, 10:00 AM",
)


def mail_pages() -> dict[str, dict[str, Any]]:
    """The list with mails, without any, and without one that was asked for; and one mail."""
    mails: dict[str, Any] = {
        "mails": (LINE,) * 3,
        "merchants": ("Lumen", "Marmite"),
        "people": ("ada@example.com", LINE.person),
        "chosen": {"merchant": "", "person": LINE.person},
        "control_url": "http://127.0.0.1:9000/_control",
    }
    return {
        "mails": mails,
        "mails-unfit": mails | {"mails": ()},
        "mails-none": mails | {"mails": (), "merchants": (), "people": ()},
        "mail": {"mail": MAIL, "received": "Nov 23, 2026, 10:00:00 AM", "body_url": "/none"},
    }
