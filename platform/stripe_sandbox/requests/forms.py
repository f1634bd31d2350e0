"""Request parameters: Stripe's bracketed forms read into typed values, with its complaints."""

from collections.abc import Callable, Mapping
from difflib import get_close_matches
from typing import Any, TypeAlias

from qs_codec import DecodeOptions, decode

from stripe_sandbox.requests.errors import ApiError, invalid
from stripe_sandbox.state.documents import Document

Reader: TypeAlias = Callable[[Any, str], Any]
Shape: TypeAlias = Mapping[str, Reader]

# https://docs.stripe.com/metadata
_MOST_KEYS, _LONGEST_KEY, _LONGEST_VALUE = 50, 40, 500
_OPTIONS = DecodeOptions(depth=12, list_limit=500, parameter_limit=20_000)


def decoded(body: str) -> Document:
    """`items[0][price]=p` and its like as nested dictionaries and lists of strings."""
    return dict(decode(body, _OPTIONS)) if body else {}


def text_up_to(most: int) -> Reader:
    """A string of so many characters at most; the empty one unsets a field."""

    def read(raw: Any, param: str) -> str | None:
        if not isinstance(raw, str):
            raise invalid("Invalid string", param)
        if len(raw) > most:
            shown = f"{raw[:10]}...{raw[-10:]}"
            raise invalid(f"Invalid string: {shown}; must be at most {most} characters", param)
        return raw or None

    return read


# Where Stripe's specification names no other length.
text = text_up_to(5_000)


def integer(raw: Any, param: str) -> int | None:
    """A whole number; empty unsets."""
    if raw == "":
        return None
    try:
        return int(raw)
    except (TypeError, ValueError):
        raise invalid(f"Invalid integer: {raw}", param, "parameter_invalid_integer") from None


def natural(raw: Any, param: str) -> int | None:
    """A whole number of at least zero."""
    number = integer(raw, param)
    if number is not None and number < 0:
        raise invalid("This value must be greater than or equal to 0.", param)
    return number


def boolean(raw: Any, param: str) -> bool | None:
    """`true` or `false`; empty unsets."""
    if raw == "":
        return None
    if raw not in ("true", "false"):
        raise invalid(f"Invalid boolean: {raw}", param)
    return bool(raw == "true")


def number(raw: Any, param: str) -> float | None:
    """A decimal fraction, such as a percentage."""
    if raw == "":
        return None
    try:
        return float(raw)
    except (TypeError, ValueError):
        raise invalid(f"Invalid decimal: {raw}", param) from None


def one_of(*choices: str) -> Reader:
    """One word of an enumeration."""

    def read(raw: Any, param: str) -> str | None:
        if raw == "":
            return None
        if raw not in choices:
            raise invalid(f"Invalid {param}: must be one of {_offered(choices)}", param)
        return str(raw)

    return read


def _offered(choices: tuple[str, ...]) -> str:
    """`a`, `a or b`, `a, b, or c`."""
    if len(choices) < 3:
        return " or ".join(choices)
    return f"{', '.join(choices[:-1])}, or {choices[-1]}"


def moment(*words: str) -> Reader:
    """A Unix timestamp in seconds, or one of some words such as `now`."""

    def read(raw: Any, param: str) -> int | str | None:
        return raw if raw in words else integer(raw, param)

    return read


def metadata(raw: Any, param: str) -> Document | None:
    """Free keys and strings; empty deletes all."""
    if raw == "":
        return None
    if not isinstance(raw, dict):
        raise invalid("Invalid hash", param)
    pairs = {str(key): str(value) for key, value in raw.items()}
    if len(pairs) > _MOST_KEYS:
        raise invalid(
            f"You can set up to {_MOST_KEYS} metadata keys, but you passed in {len(pairs)}.", param
        )
    for key, value in pairs.items():
        for noun, word, most in (("keys", key, _LONGEST_KEY), ("values", value, _LONGEST_VALUE)):
            if len(word) > most:
                raise invalid(
                    f"Metadata {noun} can have up to {most} characters, but you passed in a value "
                    f"that is {len(word)} characters. Invalid value: {word}",
                    param,
                )
    return pairs


def anything(raw: Any, param: str) -> Any:
    """A value that the sandbox keeps or ignores without reading it."""
    return raw


def list_of(item: Reader) -> Reader:
    """Several values, written `a[]=` or `a[0]=`; empty unsets."""

    def read(raw: Any, param: str) -> list[Any] | None:
        if raw == "":
            return None
        if isinstance(raw, dict):
            raw = [raw[key] for key in sorted(raw, key=_position)]
        if not isinstance(raw, list):
            raise invalid("Invalid array", param)
        return [item(value, f"{param}[{index}]") for index, value in enumerate(raw)]

    return read


def _position(key: Any) -> int:
    return int(key) if str(key).isdecimal() else 0


def hash_of(shape: Shape, required: tuple[str, ...] = ()) -> Reader:
    """A nested hash with known fields; empty unsets it."""

    def read(raw: Any, param: str) -> Document | None:
        if raw == "":
            return None
        if not isinstance(raw, dict):
            raise invalid("Invalid object", param)
        return _read_fields(raw, shape, required, param)

    return read


def map_of(item: Reader) -> Reader:
    """A hash with keys of the caller's, such as currencies, each with the same kind of value."""

    def read(raw: Any, param: str) -> Document | None:
        if raw == "":
            return None
        if not isinstance(raw, dict):
            raise invalid("Invalid object", param)
        return {str(key): item(value, f"{param}[{key}]") for key, value in raw.items()}

    return read


def form(shape: Shape, required: tuple[str, ...] = ()) -> Reader:
    """The reader of a whole request."""

    def read(raw: Any, param: str) -> Document:
        return _read_fields(raw, shape, required, param)

    return read


def _read_fields(raw: Document, shape: Shape, required: tuple[str, ...], param: str) -> Document:
    def path(name: str) -> str:
        return f"{param}[{name}]" if param else str(name)

    if unknown := [path(name) for name in raw if name not in shape]:
        raise _unknown(unknown, [path(name) for name in shape])
    for name in required:
        if raw.get(name) == "":
            raise _unsettable(path(name))
        if name not in raw:
            raise invalid(f"Missing required param: {path(name)}.", path(name), "parameter_missing")
    return {name: shape[name](value, path(name)) for name, value in raw.items()}


def _unknown(names: list[str], known: list[str]) -> ApiError:
    word = "parameter" if len(names) == 1 else "parameters"
    message = f"Received unknown {word}: {', '.join(names)}"
    if len(names) == 1 and (meant := get_close_matches(names[0], known, 1, cutoff=0.75)):
        message += f". Did you mean {meant[0]}?"
    return invalid(message, names[0], "parameter_unknown")


def _unsettable(name: str) -> ApiError:
    return invalid(
        f"You passed an empty string for '{name}'. We assume empty values are an attempt to unset "
        f"a parameter; however '{name}' cannot be unset. You should remove '{name}' from your "
        "request or supply a non-empty value.",
        name,
        "parameter_invalid_empty",
    )


RANGE: Shape = {"gt": integer, "gte": integer, "lt": integer, "lte": integer}


def span(raw: Any, param: str) -> Document:
    """A time filter: one timestamp, or bounds such as `created[gte]`."""
    if isinstance(raw, dict):
        return _read_fields(raw, RANGE, (), param)
    exact = integer(raw, param)
    return {"gte": exact, "lte": exact}


def within(value: int, filters: Document | None) -> bool:
    """Whether a time passes such a filter."""
    bounds: dict[str, int] = filters or {}
    return (
        value > bounds.get("gt", value - 1)
        and value >= bounds.get("gte", value)
        and value < bounds.get("lt", value + 1)
        and value <= bounds.get("lte", value)
    )


PAGE: Shape = {"limit": integer, "starting_after": text, "ending_before": text}

NO_ADDRESS: Document = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))
ADDRESS = hash_of(dict.fromkeys(NO_ADDRESS, text))
