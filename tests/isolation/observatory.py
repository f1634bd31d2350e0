"""The tests of the MDN HTTP Observatory that an answer can be given, at their best result.

Source: https://developer.mozilla.org/observatory/docs/tests_and_scoring. A site starts with 100
points, and the bonuses below make 135, the most there is.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

import httpx

BASE = 100
_POLICY = {
    "default-src": "'none'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
    "form-action": "'self'",
}
_SIX_MONTHS_S = 15_768_000
_PRIVATE = ("no-referrer", "same-origin", "strict-origin", "strict-origin-when-cross-origin")


class Rule(NamedTuple):
    """One test: its best result, what that is worth, and whether an answer has it."""

    name: str
    bonus: int
    holds: Callable[[httpx.Response], bool]


def policies(answer: httpx.Response) -> list[dict[str, str]]:
    """Every Content-Security-Policy of an answer, by directive; all of them apply together."""
    read = []
    for header in answer.headers.get_list("content-security-policy"):
        directives = [it.strip().partition(" ") for it in header.split(";")]
        names = [name for name, _, _ in directives]
        assert len(names) == len(set(names)), header
        read.append({name: sources for name, _, sources in directives})
    return read


def _is_strict(answer: httpx.Response) -> bool:
    """Some policy has all of `_POLICY`, and none names anything but ourselves or nothing."""
    read = policies(answer)
    allowed = {"'none'", "'self'", ""}
    return any(_POLICY.items() <= policy.items() for policy in read) and all(
        sources in allowed for policy in read for sources in policy.values()
    )


def _cookies_are_safe(answer: httpx.Response) -> bool:
    for cookie in answer.headers.get_list("set-cookie"):
        attributes = {it.strip().lower() for it in cookie.split(";")[1:]}
        needed = {"secure", "httponly", "samesite=lax", "path=/"}
        if not cookie.startswith("__Host-guichet-") or not needed <= attributes:
            return False
        if any(it.startswith("domain") for it in attributes):
            return False
    return True


def _is_strict_transport(answer: httpx.Response) -> bool:
    header = answer.headers.get("strict-transport-security", "")
    age = re.search(r"max-age=([0-9]+)", header)
    return age is not None and int(age[1]) >= _SIX_MONTHS_S and "includeSubDomains" in header


def _scripts_are_ours(answer: httpx.Response) -> bool:
    scripts = re.findall(r"<script\b([^>]*)>(.*?)</script", answer.text, re.DOTALL)
    return all(re.search(r'\bsrc="/(?!/)', tag) and not body.strip() for tag, body in scripts)


def _one(name: str, *values: str) -> Callable[[httpx.Response], bool]:
    return lambda answer: (
        len(answer.headers.get_list(name)) == 1 and answer.headers.get(name) in values
    )


RULES = (
    Rule("csp-implemented-with-no-unsafe-default-src-none", 10, _is_strict),
    Rule("cookies-secure-with-httponly-sessions-and-samesite", 5, _cookies_are_safe),
    Rule(
        "cross-origin-resource-sharing-not-implemented",
        0,
        lambda answer: not [name for name in answer.headers if name.startswith("access-control-")],
    ),
    Rule("hsts-implemented-max-age-at-least-six-months", 0, _is_strict_transport),
    Rule("referrer-policy-private", 5, _one("referrer-policy", *_PRIVATE)),
    Rule("sri-not-implemented-but-all-scripts-loaded-from-secure-origin", 0, _scripts_are_ours),
    Rule("x-content-type-options-nosniff", 0, _one("x-content-type-options", "nosniff")),
    Rule(
        "x-frame-options-implemented-via-csp",
        5,
        lambda answer: any(it.get("frame-ancestors") == "'none'" for it in policies(answer)),
    ),
    Rule(
        "cross-origin-resource-policy-implemented-with-same-origin",
        10,
        _one("cross-origin-resource-policy", "same-origin"),
    ),
)


def failed(answer: httpx.Response) -> list[str]:
    """The rules that an answer does not keep."""
    return [rule.name for rule in RULES if not rule.holds(answer)]
