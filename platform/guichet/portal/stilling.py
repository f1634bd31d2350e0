"""Pages whose forms are only to be seen: what would send one is shown as it is, and cannot be used.

Nothing relies on it: what a form asks for is refused where it arrives.
"""

import re

#: What the deployment itself says stands above, and works.
_PAGE = b'<div class="portal-page'
_FORM = re.compile(rb'<form\b[^>]*\bmethod="post"[^>]*>.*?</form>', re.DOTALL)
_CONTROL = re.compile(rb"<(button|input|select|textarea)\b")


def still_forms(page: bytes) -> bytes:
    """The page with everything disabled in its forms that post."""
    marks, start, rest = page.partition(_PAGE)
    return marks + start + _FORM.sub(lambda form: _CONTROL.sub(rb"<\1 disabled", form[0]), rest)
