"""The sandbox without its web server, for tests that need thousands of requests."""

from typing import Any
from urllib.parse import urlencode

import msgspec
from stripe._encode import _api_encode

from stripe_sandbox.api import Api, Request
from stripe_sandbox.passing_time.clocks import go_on
from stripe_sandbox.state.accounts import load_account
from stripe_sandbox.state.store import Store
from tests.stripe_sandbox.shop import START

_WALL = 1_795_000_000.0
_KEY = {"authorization": "Bearer sk_test_direct"}


class Direct:
    """One account; requests are encoded by the SDK, answers are plain JSON."""

    def __init__(self) -> None:
        self.api = Api(Store(None), lambda: _WALL, "http://sandbox")
        self.clock: str = self.post("test_helpers/test_clocks", frozen_time=START)["id"]

    def close(self) -> None:
        """Let the state go."""
        self.api.store.close()

    def _ask(self, method: str, path: str, params: dict[str, Any]) -> dict[str, Any]:
        form = urlencode(list(_api_encode(params)))
        query, body = (form, "") if method == "GET" else ("", form)
        request = Request(method, f"/v1/{path}", query, body, _KEY)
        answer = self.api.answer(self.api.account_of(request), request)
        assert answer.status == 200, answer.body
        found: dict[str, Any] = msgspec.json.decode(answer.body)
        return found

    def get(self, path: str, **params: Any) -> dict[str, Any]:
        """Read something."""
        return self._ask("GET", path, params)

    def post(self, path: str, **params: Any) -> dict[str, Any]:
        """Make or change something."""
        return self._ask("POST", path, params)

    def every(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """A whole list, oldest first."""
        found: list[dict[str, Any]] = []
        while True:
            page = self.get(path, limit=100, **params)
            found += page["data"]
            if not page["has_more"]:
                return found[::-1]
            params["starting_after"] = found[-1]["id"]

    def advance(self, to: int) -> None:
        """Advance the clock until it has arrived."""
        path = f"test_helpers/test_clocks/{self.clock}"
        status = self.post(f"{path}/advance", frozen_time=to)["status"]
        store = self.api.store
        while status == "advancing":
            account, clock = store.clocks_under_way()[0]
            with store.transaction():
                unit = self.api.unit(load_account(store, account))
                go_on(unit, unit.need("test_helpers.test_clock", clock))
            status = self.get(path)["status"]

    def customer(self, **params: Any) -> str:
        """A customer on the clock whose card is charged."""
        identifier: str = self.post(
            "customers",
            test_clock=self.clock,
            payment_method="pm_card_visa",
            invoice_settings={"default_payment_method": "pm_card_visa"},
            **params,
        )["id"]
        return identifier

    def price(self, **params: Any) -> str:
        """A monthly price of a product of its own, unless told otherwise."""
        asked = {"recurring": {"interval": "month"}, "product_data": {"name": "Thing"}, **params}
        identifier: str = self.post("prices", **asked)["id"]
        return identifier
