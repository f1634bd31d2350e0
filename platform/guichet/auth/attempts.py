"""Sign-ins under way: each bound to the browser that began it, and good for one callback."""

import msgspec

from guichet.auth.failures import SignInExpired
from guichet.auth.sessions import new_token, token_hash
from guichet.db import Unit


class Attempt(msgspec.Struct, frozen=True):
    """What a sign-in was started with and its callback must match."""

    nonce: str
    code_verifier: str
    next_path: str


async def begin_attempt(
    unit: Unit, provider_id: str, browser: str, next_path: str
) -> tuple[str, Attempt]:
    """Store a new attempt for ten minutes; answers the `state` that finds it, and what it holds.

    `browser` is the value of the browser cookie. Both are kept as hashes. Attempts that were
    never finished leave with whoever begins the next one.
    """
    await unit.execute(
        """
        delete from sign_in_attempts
        where tenant_id = $1
        and expires_at < now()
        """,
        unit.tenant_id,
    )
    state = new_token()
    attempt = Attempt(nonce=new_token(), code_verifier=new_token(), next_path=next_path)
    await unit.execute(
        """
        insert into sign_in_attempts (
          tenant_id, state_hash, browser_hash, provider, nonce, code_verifier, next_path, expires_at
        )
        values ($1, $2, $3, $4, $5, $6, $7, now() + interval '10 minutes')
        """,
        unit.tenant_id,
        token_hash(state),
        token_hash(browser),
        provider_id,
        attempt.nonce,
        attempt.code_verifier,
        attempt.next_path,
    )
    return state, attempt


async def take_attempt(unit: Unit, provider_id: str, browser: str | None, state: str) -> Attempt:
    """Use up the attempt of a callback: it must be of this tenant, provider and browser.

    Of two callbacks with the same state one alone gets it. Raises `SignInExpired`.
    """
    if browser is None:
        raise SignInExpired(reason="the browser sent no cookie")
    row = await unit.fetchrow(
        """
        delete from sign_in_attempts
        where tenant_id = $1
        and state_hash = $2
        and browser_hash = $3
        and provider = $4
        and expires_at > now()
        returning nonce, code_verifier, next_path
        """,
        unit.tenant_id,
        token_hash(state),
        token_hash(browser),
        provider_id,
    )
    if row is None:
        raise SignInExpired(reason="no attempt of this browser has this state")
    return msgspec.convert(dict(row), Attempt)
