"""Merchants with figures: a mirror written by hand, and a year lived at the sandbox."""

import pytest

from guichet.db import Database
from tests.billing.following import Merchant
from tests.databases import DatabaseUrls
from tests.merchants import add_merchant, registry_for
from tests.portal.conftest import shop

__all__ = ["merchant", "shop"]


@pytest.fixture
async def merchant(database_urls: DatabaseUrls, db: Database) -> Merchant:
    """A tenant without a provider."""
    tenant = await add_merchant(registry_for(database_urls, db))
    return Merchant(db, tenant.id)
