"""The tokens in links of mails: each opens one thing of one message, without sign-in.

A token is the message's id and an HMAC over tenant, purpose and id, so nothing is stored and
nothing can be made up. What it opens, and for how long, is for whoever reads it to look up in the
message's row. Its key is derived from a master key by HKDF (RFC 5869): the first one makes tokens,
and those of the older ones are read for as long as these are given.
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Literal
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

#: What a link opens: the page that fixes a payment, the end of an optional kind of mail, the
#: console for one of the staff, an invitation to a workspace, or the preview of a draft.
Purpose = Literal["fix", "unsubscribe", "staff_sign_in", "invitation", "preview"]

_INFO = b"guichet mail link"
_LABEL = b"guichet mail link\0"
_ID_BYTES = 16
# 48 bytes make exactly 64 characters: there is one way to write a token.
_TOKEN = re.compile(r"[A-Za-z0-9_-]{64}", re.ASCII)
# Where links have it, and what is as long as most of one anywhere.
_IN_PATH = re.compile(r"(?<=^/fix/)[^/]+|(?<=^/unsubscribe/)[^/]+|[A-Za-z0-9_-]{43,}", re.ASCII)


def make_link_token(
    master_keys: Sequence[str], tenant_id: UUID, message_id: UUID, purpose: Purpose
) -> str:
    """The token of a message's link: 64 characters that need no quoting in an address.

    Links of staff belong to no tenant: theirs is the id of nobody, and the row's own.
    """
    tag = _tag(master_keys[0], tenant_id, message_id, purpose)
    return base64.urlsafe_b64encode(message_id.bytes + tag).decode()


def read_link_token(
    master_keys: Sequence[str], tenant_id: UUID, token: str, purpose: Purpose
) -> UUID | None:
    """The message that a token was made for; None where it is not ours, this tenant's or this
    purpose's.
    """
    if not _TOKEN.fullmatch(token):
        return None
    raw = base64.urlsafe_b64decode(token)
    message_id, given = UUID(bytes=raw[:_ID_BYTES]), raw[_ID_BYTES:]
    for master_key in master_keys:
        if hmac.compare_digest(given, _tag(master_key, tenant_id, message_id, purpose)):
            return message_id
    return None


def without_link_token(path: str) -> str:
    """A path as it may be logged: whoever reads a log must not be able to open the link."""
    return _IN_PATH.sub("…", path)


def _tag(master_key: str, tenant_id: UUID, message_id: UUID, purpose: Purpose) -> bytes:
    # The purpose stands last: before it all have a fixed length, so no two triples are alike.
    signed = _LABEL + tenant_id.bytes + message_id.bytes + purpose.encode()
    return hmac.digest(_derive(master_key), signed, hashlib.sha256)


@lru_cache(maxsize=16)
def _derive(master_key: str) -> bytes:
    """The key of all links under one master key. Which one is no base64 the vault has told."""
    try:
        key = base64.b64decode(master_key, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key:
        # An empty key would make tokens that anybody can make.
        raise ValueError("a master key cannot be used")
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=_INFO).derive(key)
