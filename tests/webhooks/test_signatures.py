"""Who signed a body, and when: anything else is refused."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guichet.webhooks.signatures import TOLERANCE_SECONDS, is_signed
from tests.deliveries import body_of, signature
from tests.shops import SIGNING_SECRET

_NOW = 1_790_000_000.0
_BODY = body_of()
_GOOD = signature(_BODY, at=_NOW)
_V1 = _GOOD.partition(",")[2]
_OTHER = signature(_BODY, "whsec_other", _NOW).partition(",")[2]


def _verify(header: str, body: bytes = _BODY, now: float = _NOW) -> bool:
    return is_signed(header.encode(), body, SIGNING_SECRET.encode(), now)


@pytest.mark.parametrize(
    "header",
    [
        _GOOD,
        f"t={_NOW:.0f},{_OTHER},{_V1}",
        f"t={_NOW:.0f},{_V1},{_OTHER}",
        f"{_V1},t={_NOW:.0f}",
        f"t={_NOW:.0f}, {_V1}",
        f"{_GOOD},v0={'0' * 64}",
        f"{_GOOD},v2=unknown",
    ],
)
def test_a_signature_of_ours_among_others_is_accepted(header: str) -> None:
    assert _verify(header)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "t=,v1=",
        "t=1790000000",
        _V1,
        f"t={_NOW:.0f},{_OTHER}",
        f"t={_NOW:.0f},v0={_V1[3:]}",
        f"t={_NOW:.0f},{_V1.upper()}",
        f"t={_NOW:.0f},{_V1[:-1]}",
        f"t={_NOW:.0f},t={_NOW:.0f},{_V1}",
        f"t=-{_NOW:.0f},{_V1}",
        f"t={_NOW:.1f},{_V1}",
        f"t=0x6AB13B80,{_V1}",
        f"t={_NOW:.0f}" + f",v1={'0' * 64}" * 9 + f",{_V1}",
        _GOOD + "," * 3000,
        f"t={'9' * 500},{_V1}",
    ],
)
def test_anything_else_is_refused(header: str) -> None:
    assert not _verify(header)


_Change = Callable[[bytes], bytes]


@pytest.mark.parametrize(
    "change",
    [
        lambda body: body[:-1] + bytes([body[-1] ^ 1]),
        lambda body: body.replace(b'":', b'": '),
        lambda body: body + b"\n",
        lambda body: body[1:],
        lambda body: b"",
    ],
    ids=["flipped bit", "serialised anew", "line end", "first byte missing", "empty"],
)
def test_another_body_is_refused(change: _Change) -> None:
    assert not _verify(_GOOD, change(_BODY))


@pytest.mark.parametrize("distance", [0, 1, TOLERANCE_SECONDS])
@pytest.mark.parametrize("direction", [-1, 1])
def test_a_signature_is_good_within_the_tolerance(distance: int, direction: int) -> None:
    assert _verify(_GOOD, now=_NOW + direction * distance)


@pytest.mark.parametrize("distance", [TOLERANCE_SECONDS + 1, 86_400, 10**9])
@pytest.mark.parametrize("direction", [-1, 1])
def test_an_old_or_future_signature_is_refused(distance: int, direction: int) -> None:
    assert not _verify(_GOOD, now=_NOW + direction * distance)


@given(st.binary(max_size=300))
def test_no_header_of_any_kind_is_taken_for_a_signature(header: bytes) -> None:
    assert not is_signed(header, _BODY, SIGNING_SECRET.encode(), _NOW)


@given(st.lists(st.sampled_from(["t=1790000000", "t=", "v1=", _OTHER, ",", "=", " ", "v1"])))
def test_no_mixture_of_parts_is_taken_for_a_signature(parts: list[str]) -> None:
    assert not _verify(",".join(parts))
