"""A walk over the API: every answer on the way is held against the SDK's annotations."""

from dataclasses import dataclass, field
from typing import Any

from stripe_sandbox.api import ROUTER
from tests.stripe_sandbox.annotations import problems
from tests.stripe_sandbox.program import Account

Answer = dict[str, Any]


@dataclass
class Walk:
    """Requests of one account, and the routes that have answered well so far."""

    account: Account
    walked: set[tuple[str, str]] = field(default_factory=set)

    async def get(self, path: str, **params: Any) -> Answer:
        """One object or list."""
        return await self._ask("GET", path, params=params)

    async def post(self, path: str, **data: Any) -> Answer:
        """A change; brackets of nested parameters are written out in the names."""
        return await self._ask("POST", path, data=data)

    async def delete(self, path: str) -> Answer:
        """A deletion or cancellation."""
        return await self._ask("DELETE", path)

    async def _ask(self, method: str, path: str, **how: Any) -> Answer:
        answer = await self.account.http.request(method, f"/v1/{path}", **how)
        body: Answer = answer.json()
        assert answer.status_code == 200, (method, path, body)
        wrong = _wrong(body)
        assert wrong == [], (method, path)
        self._tick(method, path)
        return body

    async def refused(self, path: str, **data: Any) -> Answer:
        """A route whose every answer is a refusal."""
        answer = await self.account.http.post(f"/v1/{path}", data=data)
        assert answer.status_code == 400, path
        self._tick("POST", path)
        error: Answer = answer.json()["error"]
        return error

    def _tick(self, method: str, path: str) -> None:
        found = ROUTER.match(method, f"/v1/{path}")
        assert found
        self.walked.add((method, "/".join(found[0].segments)))

    def left(self) -> set[tuple[str, str]]:
        """Routes that have not answered."""
        every = {(route.method, "/".join(route.segments)) for route in ROUTER.routes}
        return every - self.walked


def _wrong(body: Answer) -> list[str]:
    if body["object"] == "list":
        return [each for item in body["data"] for each in problems(item)]
    if body.get("deleted"):
        stub = {"id", "object", "deleted"}
        return [] if body.keys() == stub else [f"{body.keys()} is no stub"]
    return problems(body)
