"""Asking a portal as anybody, and comparing what it answers to two who should see no difference."""

import re
import time
from typing import NamedTuple

import httpx

from guichet.edge.entrance import Edge
from tests.isolation.twins import Twin, csrf_of

_REQUEST_ID = re.compile(r"\b[0-9a-f]{16}\b")
_TOKEN = re.compile(r'name="(csrf|token)" value="[^"]*"')


class Asked(NamedTuple):
    """One request, before it is known who sends it and whose ids are in it."""

    method: str
    #: With the names of `ids_of` in braces.
    path: str
    #: What goes with it: query parameters of a GET, the form of a POST.
    fields: dict[str, str]


def client_of(edge: Edge, origin: str, session: str = "") -> httpx.AsyncClient:
    """A browser at any origin, perhaps with a session's cookie."""
    transport = httpx.ASGITransport(app=edge)  # type: ignore[arg-type]
    cookies = {"guichet-session": session} if session else {}
    return httpx.AsyncClient(transport=transport, base_url=origin, cookies=cookies)


async def ask(
    client: httpx.AsyncClient,
    asked: Asked,
    ids: dict[str, str],
    headers: dict[str, str] | None = None,
    more: dict[str, str] | None = None,
) -> httpx.Response:
    """Send it; `more` joins its fields. A POST says that it comes from the portal itself."""
    path = asked.path.format_map(ids)
    fields = {name: value.format_map(ids) for name, value in asked.fields.items()} | (more or {})
    own = {"origin": str(client.base_url).rstrip("/")}
    if asked.method == "POST":
        return await client.post(path, data=fields, headers=own | (headers or {}))
    return await client.request(asked.method, path, params=fields, headers=headers)


async def csrf_for(client: httpx.AsyncClient) -> str:
    """The token of the forms of whoever is signed in."""
    return csrf_of((await client.get("/invoices")).text)


def outcome(answer: httpx.Response) -> str:
    """`200`, or `303 /sign-in`: a redirect with where it goes, without query and fragment."""
    location = answer.headers.get("location")
    if location is None:
        return str(answer.status_code)
    return f"{answer.status_code} {re.split('[?#]', location)[0]}"


def told(answer: httpx.Response, *said: str) -> tuple[int, list[tuple[str, str]], str]:
    """All that an answer tells, without its own number and what the asker has said."""
    text = _TOKEN.sub("", _REQUEST_ID.sub("", answer.text))
    headers = [(n, v) for n, v in answer.headers.multi_items() if n != "x-request-id"]
    for word in said:
        text = text.replace(word, "…")
        headers = [(name, value.replace(word, "…")) for name, value in headers]
    # Two ids of unlike length make two pages of unlike length.
    return answer.status_code, [it for it in headers if it[0] != "content-length"], text


def confirmation(twin: Twin) -> dict[str, str]:
    """A form that confirms a change at an amount that nobody has shown."""
    return {
        "token": "00000000-0000-4000-8000-000000000000",
        "price": twin.shop.prices["scale"],
        "as_of": str(int(time.time())),
        "due_now": "1",
    }
