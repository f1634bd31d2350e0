"""One tenant's line to its provider: what is tried again, what is not sent, who waits for whom."""

import asyncio
import contextlib
import math

import pytest
import stripe
from prometheus_client import REGISTRY

from guichet.payments.errors import ProviderAway, ProviderBusy, ProviderError, ProviderUnreachable
from guichet.payments.stripe.adapter import Stripe, Transport
from guichet.payments.stripe.calls import ask, bounded
from guichet.payments.stripe.line import Line, deadline
from guichet.payments.stripe.transport import Answer, Lost, NotSent
from tests.payments.wires import Behaviour, Clock, Wire, answering, raising
from tests.shops import Shop

_NOWHERE = "http://127.0.0.1:1"

lost = raising(lambda: Lost("lost"))  # type: ignore[no-untyped-call]
unreached = raising(lambda: NotSent("unreached"))
crowded = raising(lambda: NotSent("crowded", away=False))


async def _call(line: Line) -> Answer:
    return await line.request_with_retries_async("get", f"{_NOWHERE}/v1/account", {})


async def _fail(line: Line, times: int) -> None:
    for _ in range(times):
        with contextlib.suppress(stripe.APIConnectionError):
            await _call(line)


def _openings() -> float:
    return REGISTRY.get_sample_value("guichet_provider_breaker_openings_total") or 0.0


async def test_what_is_lost_is_sent_once_more() -> None:
    wire = Wire(lost)
    with pytest.raises(Lost):
        await _call(Line(wire))
    assert wire.sent == 2


async def test_the_second_attempt_may_succeed() -> None:
    first = True

    async def once_lost() -> Answer:
        nonlocal first
        was_first, first = first, False
        return await (lost() if was_first else answering(200)())

    assert (await _call(Line(Wire(once_lost))))[1] == 200


@pytest.mark.parametrize(
    ("behaviour", "sent"),
    [
        (answering(400), 1),
        (answering(402), 1),
        (answering(409), 2),
        (answering(429), 1),
        (answering(429, stripe_should_retry="true"), 2),
        (answering(429, retry_after="1", stripe_should_retry="false"), 1),
        (answering(500), 2),
        (answering(500, stripe_should_retry="false"), 1),
        (answering(400, stripe_should_retry="true"), 2),
    ],
)
async def test_an_answer_is_asked_for_again_where_that_may_help(
    behaviour: Behaviour, sent: int
) -> None:
    wire = Wire(behaviour)
    await _call(Line(wire))
    assert wire.sent == sent


async def test_a_busy_provider_is_given_the_time_it_asks_for() -> None:
    wire = Wire(answering(429, retry_after="2"))
    assert (await _call(Line(wire)))[1] == 429
    assert (wire.slept, wire.sent) == ([2.0], 2)


@pytest.mark.parametrize("asked", ["11", "3600", "-1", "soon", "Mon, 23 Nov 2026 09:00:00 GMT"])
async def test_a_busy_provider_is_not_waited_for_beyond_the_limit(asked: str) -> None:
    wire = Wire(answering(429, retry_after=asked))
    await _call(Line(wire))
    assert (wire.slept, wire.sent) == ([], 1)


@pytest.mark.parametrize("behaviour", [lost, unreached, answering(500), answering(503)])
async def test_a_provider_that_does_not_answer_is_left_alone(behaviour: Behaviour) -> None:
    wire, clock, before = Wire(behaviour), Clock(), _openings()
    line = Line(wire, clock)
    await _fail(line, 3)
    assert wire.sent == 5
    with pytest.raises(NotSent):
        await _call(line)
    # Nobody waits before being told so.
    assert (wire.sent, len(wire.slept)) == (5, 2)
    assert _openings() == before + 1


@pytest.mark.parametrize("behaviour", [answering(400), answering(401), answering(429), crowded])
async def test_what_is_no_sign_of_absence_opens_nothing(behaviour: Behaviour) -> None:
    wire = Wire(behaviour)
    line = Line(wire, Clock())
    await _fail(line, 10)
    assert wire.sent >= 10


async def test_a_provider_that_was_left_alone_is_probed_once_and_comes_back() -> None:
    wire, clock = Wire(lost), Clock()
    line = Line(wire, clock)
    await _fail(line, 3)
    answered = asyncio.Event()

    async def late() -> Answer:
        await answered.wait()
        return b"{}", 200, {}

    wire.behaviour = late
    clock.seconds += 2
    probe = asyncio.create_task(_call(line))
    await asyncio.sleep(0)
    with pytest.raises(NotSent):
        await _call(line)
    answered.set()
    assert (await probe)[1] == 200
    assert (await _call(line))[1] == 200
    assert wire.sent == 7


async def test_a_probe_that_nobody_waits_for_makes_room_for_the_next() -> None:
    wire, clock = Wire(lost), Clock()
    line = Line(wire, clock)
    await _fail(line, 3)

    async def hang() -> Answer:
        await asyncio.Event().wait()
        raise AssertionError

    wire.behaviour = hang
    clock.seconds += 2
    probe = asyncio.create_task(_call(line))
    await asyncio.sleep(0)
    probe.cancel()
    await asyncio.gather(probe, return_exceptions=True)
    wire.behaviour = answering(200)
    assert (await _call(line))[1] == 200


async def test_a_call_that_was_sent_stays_unknown_when_the_breaker_opens_over_it() -> None:
    wire = Wire(lost)
    line = Line(wire, Clock())
    await _fail(line, 2)
    with pytest.raises(ProviderUnreachable) as unknown:
        await ask(_call(line))
    assert wire.sent == 5
    assert not unknown.value.outcome_known
    with pytest.raises(ProviderAway) as away:
        await ask(_call(line))
    assert away.value.outcome_known


@pytest.mark.parametrize("first", [lost, answering(409), answering(500)])
@pytest.mark.parametrize("status", [401, 403, 429])
async def test_a_call_that_was_sent_stays_unknown_when_its_repetition_is_turned_away(
    first: Behaviour, status: int
) -> None:
    wire = Wire(first)

    async def then_turned_away() -> Answer:
        wire.behaviour = answering(status)
        return await first()

    wire.behaviour = then_turned_away
    with pytest.raises(ProviderUnreachable) as unknown:
        await ask(_call(Line(wire)))
    assert wire.sent == 2
    assert not unknown.value.outcome_known


@pytest.mark.parametrize("first", [unreached, answering(429, retry_after="1")])
async def test_what_never_arrived_and_is_turned_away_then_is_known(first: Behaviour) -> None:
    wire = Wire(first)

    async def then_turned_away() -> Answer:
        wire.behaviour = answering(429)
        return await first()

    wire.behaviour = then_turned_away
    assert (await _call(Line(wire)))[1] == 429
    assert wire.sent == 2


async def test_an_attempt_that_lasts_until_the_limit_counts_as_not_answered() -> None:
    async def trickle() -> Answer:
        await asyncio.sleep(math.inf)
        raise AssertionError

    wire = Wire(trickle)
    line = Line(wire, Clock())
    for _ in range(5):
        limit = deadline.set(asyncio.get_running_loop().time() + 0.01)
        with pytest.raises(Lost):
            await _call(line)
        deadline.reset(limit)
    with pytest.raises(NotSent):
        await _call(line)
    assert wire.sent == 5


async def test_a_question_of_several_calls_has_one_limit_for_all_of_them() -> None:
    limits: list[float | None] = []

    async def note() -> Answer:
        limits.append(deadline.get())
        return b"{}", 200, {}

    line = Line(Wire(note))

    @bounded
    async def part() -> None:
        await _call(line)

    @bounded
    async def whole() -> None:
        await _call(line)
        await asyncio.gather(part(), part())

    before = asyncio.get_running_loop().time()
    await whole()
    [limit] = set(limits)
    assert limit is not None
    assert len(limits) == 3
    assert limit >= before + 10
    await _call(line)
    assert limits[-1] is None


async def test_a_dead_account_slows_nobody_else(shop: Shop) -> None:
    transport = Transport()
    sent = {"dead": 0, "alive": 0}

    class Counting(Wire):
        def __init__(self, name: str) -> None:
            super().__init__(lost)
            self.name = name

        async def request_async(self, *request: object) -> Answer:
            sent[self.name] += 1
            return await transport.request_async(*request)  # type: ignore[arg-type]

    dead = Stripe(shop.key, _NOWHERE, Counting("dead"))
    alive = Stripe(shop.key, shop.url, Counting("alive"))

    async def refused() -> ProviderError | None:
        try:
            await dead.account()
        except ProviderError as error:
            return error
        return None

    answers = await asyncio.gather(
        *(each for _ in range(100) for each in (refused(), alive.account()))
    )
    assert all(isinstance(answer, ProviderAway) for answer in answers[0::2])
    assert len({answer.id for answer in answers[1::2]}) == 1  # type: ignore[union-attr]
    # Ten at a time are let out; after the first five of them nobody follows.
    assert sent["alive"] == 100
    assert sent["dead"] <= 10
    await transport.close_async()


async def test_a_hanging_account_holds_back_its_own_calls_only() -> None:
    cut = asyncio.Event()

    async def hang() -> Answer:
        await cut.wait()
        return await lost()

    hanging, quick = Wire(hang), Wire(answering(200))
    slow, fast = Line(hanging), Line(quick)
    waiting = [asyncio.create_task(_call(slow)) for _ in range(100)]
    await asyncio.sleep(0)
    for _ in range(100):
        assert (await _call(fast))[1] == 200
    assert (hanging.sent, quick.sent) == (10, 100)
    cut.set()
    outcomes = await asyncio.gather(*waiting, return_exceptions=True)
    assert hanging.sent == 10
    assert sum(isinstance(each, Lost) for each in outcomes) == 10
    assert sum(isinstance(each, NotSent) for each in outcomes) == 90


async def test_a_busy_provider_is_an_error_of_its_own(shop: Shop) -> None:
    fault = {"mode": "error", "status": 429, "count": 1}
    await shop.set(fail_next_requests=[fault])
    with pytest.raises(ProviderBusy) as busy:
        await shop.port.account()
    assert busy.value.outcome_known
