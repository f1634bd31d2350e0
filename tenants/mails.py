"""What a merchant decides about the mails that its customers get."""

from typing import Annotated, Literal, get_args

import msgspec

MailKind = Literal[
    "payment_failed",
    "action_needed",
    "card_expiring",
    "recovered",
    "given_up",
    "renewal_coming",
    "trial_ending",
    "receipt",
    "plan_changed",
    "cancelled",
]
MAIL_KINDS: tuple[MailKind, ...] = get_args(MailKind)

#: As in a header: one line.
_Line = Annotated[str, msgspec.Meta(max_length=120, pattern=r"\A[^\r\n\x00]*\Z")]


class Mails(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The sender and what is sent."""

    #: Empty takes the merchant's name.
    sender_name: _Line = ""
    #: Mails come from it where the merchant has a mail server of its own; else, and where it is
    #: empty, from the deployment's address, for which alone the deployment's server may speak.
    sender_address: _Line = ""
    #: Kinds that the merchant does not want sent. Those of a later release are kept and ignored.
    switched_off: Annotated[tuple[str, ...], msgspec.Meta(max_length=20)] = ()
    #: How many days before a renewal it is announced; 0 never.
    renewal_days: Annotated[int, msgspec.Meta(ge=0, le=60)] = 7
    trial_days: Annotated[int, msgspec.Meta(ge=0, le=30)] = 3
