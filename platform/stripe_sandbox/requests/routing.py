"""Which handler answers which method and path."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from stripe_sandbox.requests.forms import PAGE, Reader, Shape, form, list_of, text
from stripe_sandbox.state.documents import Document

Handler: TypeAlias = Callable[..., Document]


@dataclass(frozen=True)
class Route:
    """A handler is called as `handler(unit, parameters, *identifiers in the path)`."""

    method: str
    segments: tuple[str, ...]
    reader: Reader
    handler: Handler


def route(
    method: str, path: str, handler: Handler, shape: Shape | None = None,
    required: tuple[str, ...] = (),
) -> Route:  # fmt: skip
    """A route; `{}` in the path stands for an identifier. Every route takes `expand`."""
    fields: Shape = {"expand": list_of(text), **(shape or {})}
    return Route(method, tuple(path.strip("/").split("/")), form(fields, required), handler)


def listing(path: str, handler: Handler, shape: Shape | None = None) -> Route:
    """The route of a list, with the paging parameters."""
    return route("GET", path, handler, {**PAGE, **(shape or {})})


class Router:
    """Finds the route of a request."""

    def __init__(self, routes: Sequence[Route]) -> None:
        self.routes = tuple(routes)
        self._by_length: dict[tuple[str, int], list[Route]] = {}
        for each in routes:
            self._by_length.setdefault((each.method, len(each.segments)), []).append(each)

    def match(self, method: str, path: str) -> tuple[Route, list[str]] | None:
        """The route and the identifiers in the path; literal segments win over identifiers."""
        segments = path.strip("/").split("/")
        candidates = self._by_length.get((method, len(segments)), [])
        for each in sorted(candidates, key=lambda found: found.segments.count("{}")):
            if all(want in ("{}", got) for want, got in zip(each.segments, segments, strict=True)):
                pairs = zip(each.segments, segments, strict=True)
                return each, [got for want, got in pairs if want == "{}"]
        return None
