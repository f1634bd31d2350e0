"""A tenant with customers of the mirror, for mails."""

from uuid import UUID

import pytest

from guichet.db import Database
from tests.databases import DatabaseUrls
from tests.merchants import add_merchant, registry_for


@pytest.fixture
async def tenant(database_urls: DatabaseUrls, db: Database) -> UUID:
    """The tenant *lumen*."""
    return (await add_merchant(registry_for(database_urls, db))).id
