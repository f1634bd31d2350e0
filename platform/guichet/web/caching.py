"""Answers that a browser may keep for ever, because their address changes with their content."""

from litestar.response.base import ASGIResponse

#: An SVG opened by itself is a document that may hold scripts: it is shown without any right.
#: This policy is sent with a merchant's picture in place of the pages' own.
PICTURE_POLICY = (
    "default-src 'none'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'; sandbox"
)


def kept_for_ever(body: bytes, media_type: str) -> ASGIResponse:
    """A file at an address that holds the hash of its bytes."""
    headers = {"content-type": media_type, "cache-control": "public, max-age=31536000, immutable"}
    return ASGIResponse(body=body, headers=headers)
