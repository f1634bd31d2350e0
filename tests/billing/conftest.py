"""The same merchant as for the portal's tests, and one whose mirror is written by hand."""

import pytest

from guichet.db import Database
from tests.billing.following import ACTIVE, CARD, DUE, PERSON, PLAN, Merchant
from tests.databases import DatabaseUrls
from tests.merchants import add_merchant, registry_for
from tests.portal.conftest import shop

__all__ = ["merchant", "shop"]


@pytest.fixture
async def merchant(database_urls: DatabaseUrls, db: Database) -> Merchant:
    """A tenant without a provider."""
    tenant = await add_merchant(registry_for(database_urls, db))
    return Merchant(db, tenant.id)


@pytest.fixture
async def active(merchant: Merchant) -> Merchant:
    """With one customer, in good standing."""
    await merchant.write_quietly(PERSON, CARD, *PLAN, ACTIVE, DUE)
    return merchant
