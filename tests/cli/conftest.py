"""A deployment without tenants, and its command."""

import pytest

from guichet.settings import Settings
from tests.cli.commands import Guichet, commands_for
from tests.databases import DatabaseUrls
from tests.merchants import settings_for


@pytest.fixture
def deployed(database_urls: DatabaseUrls) -> Settings:
    """Settings of this test's own database; nothing else runs."""
    return settings_for(database_urls)


@pytest.fixture
def guichet(deployed: Settings) -> Guichet:
    return commands_for(deployed)
