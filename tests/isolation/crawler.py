"""Every page that links lead to, read as text with its headers."""

import re
from collections.abc import AsyncIterator, Iterable
from html import unescape
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

_LINK = re.compile(r"""(?:href|src|action|srcset)="([^"]+)"|url\(["']?([^"')]+)""")
#: What a click would change, and what ends the visit.
_AVOIDED = ("/language/", "/sign-out")
_MOST_PAGES = 300


class Seen(NamedTuple):
    """One answer: where it was found, and all that it says."""

    path: str
    status: int
    text: str


async def crawl(
    client: httpx.AsyncClient, origin: str, starts: Iterable[str], documents: bool = True
) -> AsyncIterator[Seen]:
    """Answer each page once, as far as links and redirects lead on the portal's own origin.

    Where a link leads elsewhere, its address is part of the page it stands on. `documents` are
    the provider's, for each of which it is asked.
    """
    waiting, known = list(starts), set[str]()
    while waiting:
        path = waiting.pop()
        local = path.removeprefix(origin)
        if local in known or not local.startswith("/") or local.startswith(("//", *_AVOIDED)):
            continue
        if not documents and local.endswith(("/pdf", "/receipt")):
            continue
        known.add(local)
        assert len(known) < _MOST_PAGES, "the crawl does not end"
        answer = await client.get(local)
        yield Seen(local, answer.status_code, as_text(answer))
        waiting.extend(links(answer))


def as_text(answer: httpx.Response) -> str:
    """All that an answer says, headers and body, as written and as a person reads it."""
    head = "\n".join(f"{name}: {value}" for name, value in answer.headers.multi_items())
    body = answer.content.decode("utf-8", errors="replace")
    return f"{answer.status_code}\n{head}\n\n{body}\n{unescape(body)}"


def links(answer: httpx.Response) -> list[str]:
    """Where an answer leads, without fragments."""
    found = [unescape(a or b) for a, b in _LINK.findall(answer.text)]
    if "location" in answer.headers:
        found.append(answer.headers["location"])
    return [urlsplit(it)._replace(fragment="").geturl() for it in found]
