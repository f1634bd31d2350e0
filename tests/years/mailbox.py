"""The mail server of a year: how it misbehaves, and what it has accepted in the end."""

from collections import Counter
from random import Random

from tests.mail_catcher import MailCatcher


def worsen(catcher: MailCatcher, chance: Random) -> bool:
    """Have some of the next mails go wrong, at any stage; answers whether."""
    match chance.choice(["", "", "", "later", "never", "refused", "cut", "lost", "full"]):
        case "later":
            catcher.answer("rcpt", "451 try again later", times=2)
        case "never":
            catcher.answer("rcpt", "550 no such user", times=1)
        case "refused":
            catcher.drop("connect", times=1)
        case "cut":
            catcher.drop("data", times=1)
        case "lost":
            # The mail is accepted, and nobody learns of it.
            catcher.drop("body", times=1, keeps=True)
        case "full":
            catcher.answer("body", "452 mailbox full", times=1)
        case _:
            return False
    return True


def received(catcher: MailCatcher) -> Counter[str]:
    """How often each message was accepted, by its id."""
    return Counter(mail.message_id.removeprefix("<").partition("@")[0] for mail in catcher.messages)
