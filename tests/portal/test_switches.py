"""What a merchant has switched off: neither shown nor reachable; what is owed can still be paid."""

import pytest
from litestar.handlers import HTTPRouteHandler

from guichet.app import portal_app
from guichet.errors import NotFound
from guichet.portal.switches import check_switched_on
from tenants.cancelling import CancelRules
from tenants.configuration import Configuration
from tenants.features import Features
from tests.portal.shop import Shop

#: Each route that stands behind switches, and all of them that have to be off.
TABLE = {
    "/subscriptions/{subscription_id:str}/change": ("change_plan", "change_quantity"),
    "/subscriptions/{subscription_id:str}/change/review": ("change_plan", "change_quantity"),
    "/subscriptions/{subscription_id:str}/cancel": ("cancel",),
    "/invoices": ("invoices",),
    "/invoices/{invoice_id:str}/pdf": ("invoices",),
    "/invoices/{invoice_id:str}/receipt": ("invoices",),
    "/payment-methods": ("payment_methods",),
    "/payment-methods/added": ("payment_methods",),
    "/payment-methods/{method_id:str}/order": ("payment_methods",),
    "/payment-methods/{method_id:str}/remove": ("payment_methods",),
    "/preferences": ("preferences",),
}
SWITCHES = ("cancel", *Features.__struct_fields__)


def _configured(off: set[str]) -> Configuration:
    features = {name: name not in off for name in Features.__struct_fields__}
    return Configuration(
        features=Features(**features), cancel=CancelRules(enabled="cancel" not in off)
    )


def _routes() -> list[tuple[str, HTTPRouteHandler]]:
    return [
        (route.path, handler)
        for route in portal_app().routes
        for handler in getattr(route, "route_handlers", ())
        if isinstance(handler, HTTPRouteHandler)
    ]


def _is_open(handler: HTTPRouteHandler, off: set[str]) -> bool:
    try:
        check_switched_on(_configured(off), handler.opt)
    except NotFound:
        return False
    return True


@pytest.mark.parametrize("off", SWITCHES)
def test_one_switch_closes_what_stands_behind_it_alone_and_nothing_else(off: str) -> None:
    closed = {path for path, handler in _routes() if not _is_open(handler, {off})}
    assert closed == {path for path, switches in TABLE.items() if switches == (off,)}


def test_all_switches_leave_what_is_owed_and_what_is_taken_back() -> None:
    shut = {path for path, handler in _routes() if not _is_open(handler, set(SWITCHES))}
    assert shut == set(TABLE)
    left = {path for path, _ in _routes()} - shut
    assert left >= {
        "/",
        "/invoices/{invoice_id:str}/pay",
        "/invoices/{invoice_id:str}/pay/card",
        "/subscriptions/{subscription_id:str}/keep",
        "/subscriptions/{subscription_id:str}/change/undo",
        "/unsubscribe/{mail_token:str}",
    }


async def _switch_off(shop: Shop, off: set[str]) -> None:
    switched = _configured(off)
    await shop.republish(features=switched.features, cancel=switched.cancel)


async def test_a_portal_with_everything_off_shows_no_way_there_and_still_takes_money(
    shop: Shop,
) -> None:
    await _switch_off(shop, set(SWITCHES))
    async with shop.signed_in("grace") as grace:
        home = (await grace.get("/")).text
        held = await shop.subscription("grace")
        for path in ("/invoices", "/payment-methods", "/preferences"):
            assert f'href="{path}"' not in home, path
            assert f'action="{path}"' not in home, path
            assert (await grace.get(path)).status_code == 404
        for path in ("change", "cancel"):
            assert f"/{path}" not in home
            assert (await grace.get(f"/subscriptions/{held.id}/{path}")).status_code == 404
        assert (await grace.post("/preferences", {})).status_code == 404
        invoice = held.latest_invoice
        assert f"/invoices/{invoice}/pay" in home
        assert (await grace.get(f"/invoices/{invoice}/pay")).status_code == 200


async def test_a_quantity_can_be_changed_where_plans_cannot(shop: Shop) -> None:
    await _switch_off(shop, {"change_plan"})
    async with shop.signed_in("ada") as ada:
        held = await shop.subscription("ada")
        assert "Change quantity" in (await ada.get("/")).text
        page = (await ada.get(f"/subscriptions/{held.id}/change")).text
        assert page.count('name="price"') <= 1
        other = next(it for it in shop.prices.values() if it != held["items"].data[0].price.id)
        refused = await ada.get(f"/subscriptions/{held.id}/change/review?price={other}")
        assert refused.status_code == 409
