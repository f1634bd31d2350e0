"""What a merchant decides about the mails that its customers get."""

from typing import Annotated

import msgspec

#: As in a header: one line.
_Line = Annotated[str, msgspec.Meta(max_length=120, pattern=r"\A[^\r\n\x00]*\Z")]


class Mails(msgspec.Struct, frozen=True, omit_defaults=True, kw_only=True):
    """The sender and what is sent. An empty address is the deployment's own."""

    sender_name: _Line = ""
    sender_address: _Line = ""
    #: Kinds that the merchant does not want sent.
    switched_off: Annotated[tuple[str, ...], msgspec.Meta(max_length=20)] = ()
    #: How many days before a renewal it is announced; 0 never.
    renewal_days: Annotated[int, msgspec.Meta(ge=0, le=60)] = 7
    trial_days: Annotated[int, msgspec.Meta(ge=0, le=30)] = 3
