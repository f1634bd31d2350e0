"""Which customer somebody is: by verified email once, by issuer and subject ever after."""

import pytest

from guichet.auth.failures import EmailMissing, EmailNotVerified
from guichet.auth.links import link_customer
from guichet.auth.oidc import Claims
from guichet.db import Database
from tests.auth.conftest import Merchants, add_customer

ISSUER = "https://id.example"


def ada(email: str | None = "ada@example.com", *, verified: bool = True) -> Claims:
    return Claims(issuer=ISSUER, subject="ada-1", email=email, email_verified=verified)


@pytest.fixture
async def lumen(db: Database, merchants: Merchants) -> Merchants:
    await add_customer(db, merchants.lumen, "cus_ada", "Ada@Example.com")
    return merchants


async def linked(db: Database, merchants: Merchants, claims: Claims) -> str | None:
    async with db.unit(merchants.lumen) as unit:
        return await link_customer(unit, claims)


async def delete_customer(db: Database, merchants: Merchants, customer_id: str) -> None:
    async with db.unit(merchants.lumen) as unit:
        await unit.execute(
            "update customers set deleted = true where tenant_id = $1 and id = $2",
            merchants.lumen,
            customer_id,
        )


async def test_upper_and_lower_case_do_not_matter(db: Database, lumen: Merchants) -> None:
    assert await linked(db, lumen, ada("ADA@example.COM")) == "cus_ada"


async def test_once_linked_the_email_does_not_matter(db: Database, lumen: Merchants) -> None:
    await linked(db, lumen, ada())
    assert await linked(db, lumen, ada("other@example.com")) == "cus_ada"
    assert await linked(db, lumen, ada(None)) == "cus_ada"
    assert await linked(db, lumen, ada(verified=False)) == "cus_ada"


async def test_the_same_subject_of_another_issuer_is_another_person(
    db: Database, lumen: Merchants
) -> None:
    await linked(db, lumen, ada())
    stranger = Claims("https://other.example", "ada-1", "eve@example.com", email_verified=True)
    assert await linked(db, lumen, stranger) is None


async def test_a_link_of_one_merchant_is_unknown_at_another(db: Database, lumen: Merchants) -> None:
    await linked(db, lumen, ada())
    async with db.unit(lumen.marmite) as unit:
        assert await link_customer(unit, ada()) is None


async def test_a_link_to_a_customer_who_was_deleted_is_made_anew(
    db: Database, lumen: Merchants
) -> None:
    await linked(db, lumen, ada())
    await delete_customer(db, lumen, "cus_ada")
    assert await linked(db, lumen, ada()) is None
    await add_customer(db, lumen.lumen, "cus_ada_2", "ada@example.com")
    with pytest.raises(EmailNotVerified):
        await linked(db, lumen, ada(verified=False))
    assert await linked(db, lumen, ada()) == "cus_ada_2"
    assert await linked(db, lumen, ada(None)) == "cus_ada_2"


async def test_without_a_link_only_a_verified_email_tells(db: Database, lumen: Merchants) -> None:
    with pytest.raises(EmailNotVerified):
        await linked(db, lumen, ada(verified=False))
    with pytest.raises(EmailMissing):
        await linked(db, lumen, ada(None))


@pytest.mark.parametrize("status", ["active", "trialing", "past_due", "unpaid", "paused"])
async def test_of_several_customers_the_one_with_a_live_subscription_is_taken(
    db: Database, lumen: Merchants, status: str
) -> None:
    await add_customer(db, lumen.lumen, "cus_live", "ada@example.com", status=status)
    await add_customer(db, lumen.lumen, "cus_newest", "ada@example.com", status="canceled")
    assert await linked(db, lumen, ada()) == "cus_live"


async def test_of_several_customers_alike_the_newest_is_taken(
    db: Database, lumen: Merchants
) -> None:
    await add_customer(db, lumen.lumen, "cus_a_newer", "ada@example.com")
    assert await linked(db, lumen, ada()) == "cus_a_newer"


@pytest.mark.parametrize(
    ("customer", "claimed"),
    [
        # The Kelvin sign, which a Unicode-aware lower() turns into a k.
        ("mark@example.com", "mar\u212a@example.com"),
        ("mar\u212a@example.com", "mark@example.com"),
        ("ada@example.com", "ada@example.com.evil.example"),
        ("ada@example.com", "%@example.com"),
        ("ada@example.com", "ad_@example.com"),
    ],
)
async def test_an_address_that_only_looks_alike_is_another(
    db: Database, merchants: Merchants, customer: str, claimed: str
) -> None:
    await add_customer(db, merchants.lumen, "cus_victim", customer)
    assert await linked(db, merchants, ada(claimed)) is None
