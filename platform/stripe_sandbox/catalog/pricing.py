"""What a price is and what it charges: per unit, by packages or by tiers, in any currency."""

from decimal import Decimal, InvalidOperation
from typing import Any

from stripe_sandbox.requests.errors import invalid
from stripe_sandbox.requests.forms import (
    Shape,
    anything,
    hash_of,
    integer,
    list_of,
    map_of,
    metadata,
    natural,
    one_of,
    text,
)
from stripe_sandbox.state.documents import Document, merged_metadata, new_id
from stripe_sandbox.state.unit import Unit
from stripe_sandbox.subscriptions.prorations import rounded_decimal

# https://docs.stripe.com/currencies#zero-decimal and #three-decimal: how many digits the minor
# unit has; two for all the others.
_DIGITS = {
    **dict.fromkeys(
        ("bif", "clp", "djf", "gnf", "jpy", "kmf", "krw", "mga", "pyg", "rwf", "ugx", "vnd",
         "vuv", "xaf", "xof", "xpf"), 0
    ),
    **dict.fromkeys(("bhd", "jod", "kwd", "omr", "tnd"), 3),
}  # fmt: skip
_SYMBOLS = {"usd": "$", "eur": "€", "gbp": "£", "jpy": "¥"}


def money(amount: int, currency: str) -> str:
    """An amount in minor units for people to read, as in invoice lines: `$12.50`."""
    sign = "-" if amount < 0 else ""
    symbol, digits = _SYMBOLS.get(currency), figure(abs(amount), currency)
    return f"{sign}{symbol}{digits}" if symbol else f"{sign}{digits} {currency.upper()}"


def figure(amount: int, currency: str) -> str:
    """An amount in minor units as a number of the currency's units: `1,234.50`."""
    digits = _DIGITS.get(currency, 2)
    return f"{Decimal(amount).scaleb(-digits):,.{digits}f}"


def tariff(price: Document, currency: str, param: str) -> Document:
    """What a price charges in a currency. Raises 400 for one that it does not have."""
    options = price["_currency_options"]
    if currency not in options:
        raise invalid(
            f"The price specified only supports `{'`, `'.join(sorted(options))}`. This doesn't "
            f"match the expected currency: `{currency}`.",
            param,
        )
    option = options[currency]
    return {
        **{name: price[name] for name in ("billing_scheme", "tiers_mode", "transform_quantity")},
        **{name: option[name] for name in ("unit_amount", "unit_amount_decimal")},
        "currency": currency,
        "_tiers": option["tiers"],
    }


def amount_for(price: Document, quantity: int) -> int:
    """What so many units cost for one whole period, in minor units."""
    units = quantity
    if package := price["transform_quantity"]:
        whole, rest = divmod(quantity, package["divide_by"])
        units = whole + (1 if rest and package["round"] == "up" else 0)
    if price["billing_scheme"] == "tiered":
        return _tiered_amount(price["_tiers"], price["tiers_mode"], units)
    return rounded_decimal(Decimal(price["unit_amount_decimal"]) * units)


def _tiered_amount(tiers: list[Document], mode: str, quantity: int) -> int:
    total, below = Decimal(0), 0
    for tier in tiers:
        upper = tier["up_to"]
        reached = quantity if upper is None else min(quantity, upper)
        unit, flat = Decimal(tier["unit_amount_decimal"] or 0), Decimal(tier["flat_amount"] or 0)
        last = upper is None or quantity <= upper
        if mode == "volume" and last:
            return rounded_decimal(unit * quantity + flat)
        if mode == "graduated":
            total += unit * (reached - below) + flat
        if last:
            break
        below = upper
    return rounded_decimal(total)


def decimal_string(raw: Any, param: str) -> str | None:
    """An amount with up to 12 decimal places, kept as Stripe writes it."""
    if raw == "":
        return None
    try:
        value = Decimal(raw)
    except (InvalidOperation, TypeError):
        raise invalid(f"Invalid decimal: {raw}", param) from None
    return _plain(value)


def _plain(value: Decimal) -> str:
    if value == value.to_integral_value():
        return str(int(value))
    return f"{value:f}".rstrip("0")


def new_price(unit: Unit, data: Document) -> Document:
    """A price from `price_data` or from the parameters of its creation, for a known product."""
    unit.need("product", data["product"], "product")
    recurring = data.get("recurring")
    tiered = data.get("billing_scheme") == "tiered"
    if tiered and not data.get("tiers_mode"):
        raise invalid("Missing required param: tiers_mode.", "tiers_mode", "parameter_missing")
    currency = data["currency"].lower()
    own = _option(data, "", tiered=tiered)
    price = {
        "id": new_id("price"),
        "object": "price",
        "active": data.get("active") is not False,
        "billing_scheme": "tiered" if tiered else "per_unit",
        "created": unit.now(),
        "currency": currency,
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": data.get("lookup_key"),
        "metadata": merged_metadata({}, data.get("metadata")),
        "nickname": data.get("nickname"),
        "product": data["product"],
        "recurring": _recurring(recurring) if recurring else None,
        "tax_behavior": data.get("tax_behavior") or "unspecified",
        "tiers_mode": data.get("tiers_mode") if tiered else None,
        "transform_quantity": data.get("transform_quantity"),
        "type": "recurring" if recurring else "one_time",
        "unit_amount": own["unit_amount"],
        "unit_amount_decimal": own["unit_amount_decimal"],
        "_currency_options": {currency: own},
        "_tiers": own["tiers"],
    }
    add_currencies(price, data.get("currency_options"))
    return price


def add_currencies(price: Document, wanted: Document | None) -> None:
    """Give a price amounts in other currencies, or other amounts in those."""
    for name, data in (wanted or {}).items():
        param = f"currency_options[{name}]"
        currency = name.lower()
        if currency == price["currency"]:
            raise invalid(
                f"`{currency}` is the price's own currency: its amounts cannot be set here.", param
            )
        option = _option(data, param, tiered=price["billing_scheme"] == "tiered")
        price["_currency_options"][currency] = option


def _option(data: Document, param: str, *, tiered: bool) -> Document:
    """What one currency's units or tiers cost."""
    amount = data.get("unit_amount_decimal")
    if amount is None and data.get("unit_amount") is not None:
        amount = str(data["unit_amount"])
    tiers = data.get("tiers") or []
    if tiered == (amount is not None) or tiered != bool(tiers):
        raise invalid(
            "You must specify `tiers` when `billing_scheme=tiered`, and either `unit_amount` or "
            "`unit_amount_decimal` when `billing_scheme=per_unit`.",
            f"{param}[{'tiers' if tiered else 'unit_amount'}]" if param else "unit_amount",
        )
    return {
        "custom_unit_amount": None,
        "tax_behavior": data.get("tax_behavior") or "unspecified",
        "tiers": _tiers(tiers, param),
        "unit_amount": None if tiered else _whole(amount),
        "unit_amount_decimal": None if tiered else amount,
    }


def _tiers(tiers: list[Document], param: str) -> list[Document]:
    """Tiers in the order of their bounds; the last one, and no other, has none."""
    found = [_tier(tier) for tier in tiers]
    bounds = [tier["up_to"] for tier in found]
    closed = bounds[:-1]
    if bounds and (bounds[-1] is not None or None in closed or closed != sorted(set(closed))):
        raise invalid(
            "The `up_to` values of `tiers` must increase, and the last one must be `inf`.",
            f"{param}[tiers]" if param else "tiers",
        )
    return found


def _whole(amount: str | None) -> int | None:
    return int(amount) if amount is not None and "." not in amount else None


def _recurring(recurring: Document) -> Document:
    return {
        "interval": recurring["interval"],
        "interval_count": recurring.get("interval_count") or 1,
        "meter": None,
        "trial_period_days": recurring.get("trial_period_days"),
        "usage_type": recurring.get("usage_type") or "licensed",
    }


def _tier(tier: Document) -> Document:
    def both(name: str) -> Document:
        decimal = tier.get(f"{name}_decimal")
        if decimal is None and tier.get(name) is not None:
            decimal = str(tier[name])
        return {name: _whole(decimal), f"{name}_decimal": decimal}

    upper = tier["up_to"]
    if upper != "inf" and not (upper.isdecimal() and int(upper)):
        raise invalid(f"Invalid up_to: {upper}. It must be a positive integer or `inf`.", "tiers")
    return {
        "up_to": None if upper == "inf" else int(upper),
        **both("flat_amount"),
        **both("unit_amount"),
    }


def plan_of(price: Document) -> Document:
    """The legacy `plan` that every subscription item still carries beside its price."""
    recurring = price["recurring"]
    return {
        "id": price["id"],
        "object": "plan",
        "active": price["active"],
        "amount": price["unit_amount"],
        "amount_decimal": price["unit_amount_decimal"],
        "billing_scheme": price["billing_scheme"],
        "created": price["created"],
        "currency": price["currency"],
        "interval": recurring["interval"],
        "interval_count": recurring["interval_count"],
        "livemode": False,
        "metadata": price["metadata"],
        "meter": recurring["meter"],
        "nickname": price["nickname"],
        "product": price["product"],
        "tiers_mode": price["tiers_mode"],
        "transform_usage": price["transform_quantity"],
        "trial_period_days": recurring["trial_period_days"],
        "usage_type": recurring["usage_type"],
    }


INTERVAL = one_of("day", "week", "month", "year")
TIER = {
    "up_to": text,
    "flat_amount": integer,
    "flat_amount_decimal": decimal_string,
    "unit_amount": integer,
    "unit_amount_decimal": decimal_string,
}
_RECURRING = hash_of(
    {
        "interval": INTERVAL,
        "interval_count": natural,
        "meter": anything,
        "trial_period_days": natural,
        "usage_type": one_of("licensed", "metered"),
    },
    ("interval",),
)
CURRENCY_OPTIONS = map_of(
    hash_of(
        {
            "tax_behavior": one_of("exclusive", "inclusive", "unspecified"),
            "tiers": list_of(hash_of(TIER, ("up_to",))),
            "unit_amount": natural,
            "unit_amount_decimal": decimal_string,
        }
    )
)
PRICE_DATA: Shape = {
    "currency": text,
    "product": text,
    "recurring": _RECURRING,
    "tax_behavior": one_of("exclusive", "inclusive", "unspecified"),
    "unit_amount": natural,
    "unit_amount_decimal": decimal_string,
    "metadata": metadata,
}
