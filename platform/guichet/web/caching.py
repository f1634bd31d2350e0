"""Answers that a browser may keep for ever, because their address changes with their content."""

from litestar.response.base import ASGIResponse


def kept_for_ever(body: bytes, media_type: str) -> ASGIResponse:
    """A file at an address that holds the hash of its bytes."""
    headers = {"content-type": media_type, "cache-control": "public, max-age=31536000, immutable"}
    return ASGIResponse(body=body, headers=headers)
