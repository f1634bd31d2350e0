"""Values that are planted, and looked for in whatever spelling they may have come somewhere."""

import base64
import json
import secrets
from collections.abc import Iterable


def plant(start: str) -> str:
    """A value unlike any other."""
    return f"{start}planted{secrets.token_hex(12)}"


def found(values: dict[str, str], texts: Iterable[str]) -> set[str]:
    """The names of those values that are in these texts, in any spelling."""
    everything = "\n".join(texts)
    return {
        name for name, value in values.items() if any(it in everything for it in spellings(value))
    }


def spellings(value: str) -> set[str]:
    raw = value.encode()
    # Inside of something larger base64 stands in one of three ways.
    shifted = {base64.b64encode(bytes(it) + raw).decode()[4:-4] for it in range(3)}
    return {value, raw.hex(), json.dumps(value)[1:-1], *(it for it in shifted if len(it) > 20)}
