"""Stripe's products, prices, coupons and promotion codes as copies."""

from collections.abc import Iterable
from decimal import Decimal
from typing import Protocol

import stripe

from guichet.payments.copies import (
    CouponCopy,
    CurrencyOptionCopy,
    PriceCopy,
    ProductCopy,
    PromotionCodeCopy,
    TierCopy,
)
from guichet.payments.stripe.copying.values import exact, moment, reference

#: What has to be expanded for a whole copy.
PRICE = ["tiers", "currency_options.tiers"]
PROMOTION_CODE = ["promotion.coupon.applies_to"]


class _Tier(Protocol):
    up_to: int | None
    unit_amount_decimal: Decimal | None
    flat_amount_decimal: Decimal | None


def copy_product(product: stripe.Product) -> ProductCopy:
    return ProductCopy(
        id=product.id,
        name=product.name,
        description=product.description,
        unit_label=getattr(product, "unit_label", None),
        default_price_id=reference(getattr(product, "default_price", None)),
        active=product.active,
    )


def copy_price(price: stripe.Price) -> PriceCopy:
    recurring = price.recurring
    package = price.transform_quantity
    return PriceCopy(
        id=price.id,
        product_id=reference(price.product),
        currency=price.currency,
        unit_amount=price.unit_amount if price.billing_scheme == "per_unit" else None,
        unit_amount_exact=exact(price.unit_amount_decimal),
        interval=recurring.interval if recurring else None,  # type: ignore[arg-type]
        interval_count=recurring.interval_count if recurring else None,
        usage=recurring.usage_type if recurring else None,  # type: ignore[arg-type]
        tiers_mode=price.tiers_mode,  # type: ignore[arg-type]
        tiers=_tiers(getattr(price, "tiers", None)),
        package_size=package.divide_by if package else None,
        package_round=package.round if package else None,  # type: ignore[arg-type]
        currency_options=_currency_options(price),
        nickname=price.nickname,
        lookup_key=price.lookup_key,
        active=price.active,
    )


def _tiers(tiers: Iterable[_Tier] | None) -> tuple[TierCopy, ...]:
    return tuple(
        TierCopy(
            up_to=tier.up_to,
            unit_amount=exact(tier.unit_amount_decimal),
            flat_amount=exact(tier.flat_amount_decimal),
        )
        for tier in tiers or ()
    )


def _currency_options(price: stripe.Price) -> tuple[CurrencyOptionCopy, ...]:
    options = getattr(price, "currency_options", None)
    # By currency: a name that might be one of a dictionary's methods is none of its attributes.
    by_currency = options.to_dict(recursive=False) if options else {}
    return tuple(
        CurrencyOptionCopy(
            currency=currency,
            unit_amount=exact(option.unit_amount_decimal),
            tiers=_tiers(getattr(option, "tiers", None)),
        )
        for currency, option in sorted(by_currency.items())
        if currency != price.currency
    )


def copy_coupon(coupon: stripe.Coupon) -> CouponCopy:
    """A coupon; its products are known where `applies_to` was expanded."""
    applies = getattr(coupon, "applies_to", None)
    return CouponCopy(
        id=coupon.id,
        name=coupon.name,
        percent_off=exact(coupon.percent_off),
        amount_off=coupon.amount_off,
        currency=coupon.currency,
        duration=coupon.duration,  # type: ignore[arg-type]
        duration_in_months=coupon.duration_in_months,
        product_ids=tuple(applies.products) if applies else (),
        redeem_by_at=moment(coupon.redeem_by),
        valid=coupon.valid,
    )


def copy_promotion_code(code: stripe.PromotionCode, coupon: stripe.Coupon) -> PromotionCodeCopy:
    restrictions = code.restrictions
    return PromotionCodeCopy(
        id=code.id,
        code=code.code,
        coupon=copy_coupon(coupon),
        customer_id=reference(code.customer),
        first_time_only=restrictions.first_time_transaction,
        minimum_amount=restrictions.minimum_amount,
        minimum_currency=restrictions.minimum_amount_currency,
        expires_at=moment(code.expires_at),
        active=code.active,
    )
