"""What all pages have in common: their frame, their style and their headers."""

from html import escape

from stripe_sandbox.api import Answer
from stripe_sandbox.pages.languages import ENGLISH, Language

PAGE_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; "
    "frame-ancestors 'none'; base-uri 'none'",
    "cache-control": "no-store",
    # Addresses of pages are secrets: other sites are not told where a visitor comes from.
    "referrer-policy": "same-origin",
    "x-content-type-options": "nosniff",
}
STYLE = """
:root { color-scheme: light dark; --ink: #1a1f36; --soft: #5c6478; --line: #d9dde6;
  --paper: #fff; --ground: #f4f5f8; --accent: #4b45c6 }
@media (prefers-color-scheme: dark) { :root { --ink: #eceef4; --soft: #a6adbf; --line: #353b4d;
  --paper: #1b1f2b; --ground: #12151d; --accent: #a9a4ff } }
* { box-sizing: border-box }
body { margin: 0; background: var(--ground); color: var(--ink);
  font: 16px/1.5 system-ui, sans-serif }
main { max-width: 46rem; margin: 3rem auto; padding: 2rem; background: var(--paper);
  border: 1px solid var(--line); border-radius: .75rem; overflow-wrap: anywhere }
h1 { margin: 0 0 .25rem; font-size: 1.5rem } h2 { font-size: 1.1rem; margin: 2rem 0 .5rem }
p { margin: .25rem 0 } .soft { color: var(--soft) } a { color: var(--accent) }
table { width: 100%; border-collapse: collapse; margin: 1.25rem 0 }
th, td { padding: .5rem .75rem .5rem 0; border-bottom: 1px solid var(--line); text-align: left;
  vertical-align: top }
th { font-weight: 600; color: var(--soft); font-size: .875rem }
.amount { text-align: right; padding-right: 0; font-variant-numeric: tabular-nums;
  padding-left: .75rem; white-space: nowrap }
form { display: flex; flex-wrap: wrap; gap: .5rem 1rem; align-items: center; margin: .75rem 0 }
label { display: inline-flex; flex-wrap: wrap; gap: .5rem; align-items: center;
  font-size: .875rem }
input { font: inherit; padding: .2rem .4rem; width: 9rem; border: 1px solid var(--line);
  border-radius: .375rem; background: var(--ground); color: inherit }
input[type=checkbox] { width: auto } input[size="4"] { width: 4rem }
button { font: inherit; padding: .25rem .9rem; border: 0; border-radius: .375rem;
  background: var(--accent); color: var(--paper); cursor: pointer }
code { font-size: .85em } td form { margin: 0 }
time { white-space: nowrap; font-variant-numeric: tabular-nums }
section { border-top: 1px solid var(--line); margin-top: 2rem }
main:has(section) { max-width: 62rem }
section > form { display: grid;
  grid-template-columns: repeat(auto-fill, minmax(min(19rem, 100%), 1fr)) }
section > form label { justify-content: space-between }
section > form button { justify-self: end }
.total td { padding: .25rem 0; border-bottom: 0 } .total:last-child td { font-weight: 700 }
@media (max-width: 40rem) { body { background: var(--paper) }
  main { margin: 0; padding: 1.25rem; border: 0; border-radius: 0 }
  section tr { display: block; padding: .5rem 0; border-bottom: 1px solid var(--line) }
  section td { display: block; padding: 0; border: 0 } }
"""


# What a form leads to may lie elsewhere: browsers hold redirects after a form against the policy.
_LEADING_ON = {
    **PAGE_HEADERS,
    "content-security-policy": PAGE_HEADERS["content-security-policy"].replace(
        "form-action 'self'", "form-action 'self' http: https:"
    ),
}


def html(page: bytes, status: int = 200) -> Answer:
    """The answer with a hosted page."""
    return Answer(status, page, {**_LEADING_ON, "content-type": "text/html; charset=utf-8"})


def see_other(address: str) -> Answer:
    """Send the browser on, so that reloading the next page repeats nothing."""
    return Answer(303, b"", {**_LEADING_ON, "location": address})


def document(
    title: str,
    body: str,
    *,
    style: str = "",
    narrow: bool = False,
    language: Language = ENGLISH,
) -> bytes:
    """A whole HTML page."""
    return (
        f'<!doctype html><html lang="{language.code}"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}{style}</style></head>"
        f"<body><main{' class=narrow' if narrow else ''}>{body}</main></body></html>"
    ).encode()
