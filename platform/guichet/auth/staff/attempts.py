"""Sign-ins of staff under way: each bound to the browser that began it, good for one callback."""

import msgspec

from guichet.auth.attempts import Attempt
from guichet.auth.failures import SignInExpired
from guichet.auth.sessions import new_token, token_hash
from guichet.db import Connection


async def begin_staff_attempt(
    connection: Connection, browser: str, next_path: str
) -> tuple[str, Attempt]:
    """Store a new attempt for ten minutes, as `begin_attempt` does for customers."""
    await connection.execute(
        """
        delete from staff_sign_in_attempts
        where expires_at < now()
        """
    )
    state = new_token()
    attempt = Attempt(nonce=new_token(), code_verifier=new_token(), next_path=next_path)
    await connection.execute(
        """
        insert into staff_sign_in_attempts
          (state_hash, browser_hash, nonce, code_verifier, next_path, expires_at)
        values ($1, $2, $3, $4, $5, now() + interval '10 minutes')
        """,
        token_hash(state),
        token_hash(browser),
        attempt.nonce,
        attempt.code_verifier,
        attempt.next_path,
    )
    return state, attempt


async def take_staff_attempt(connection: Connection, browser: str | None, state: str) -> Attempt:
    """Use up the attempt of a callback; raises `SignInExpired` where this browser has none."""
    if browser is None:
        raise SignInExpired(reason="the browser sent no cookie")
    row = await connection.fetchrow(
        """
        delete from staff_sign_in_attempts
        where state_hash = $1
        and browser_hash = $2
        and expires_at > now()
        returning nonce, code_verifier, next_path
        """,
        token_hash(state),
        token_hash(browser),
    )
    if row is None:
        raise SignInExpired(reason="no attempt of this browser has this state")
    return msgspec.convert(dict(row), Attempt)
