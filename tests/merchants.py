"""Merchants for tests, made the way the commands make them."""

import base64
import os

from guichet.audit import Actor
from guichet.db import Database
from guichet.settings import Settings
from guichet.tenancy import Registry
from tenants.agencies import UnknownAgency
from tenants.tenant import Tenant
from tests.databases import DatabaseUrls

AGENCY = "atelier"


def master_key() -> str:
    """A new master key, as GUICHET_MASTER_KEY has it."""
    return base64.b64encode(os.urandom(32)).decode()


def settings_for(urls: DatabaseUrls, base_domain: str = "localhost:8000") -> Settings:
    """Settings for what needs PostgreSQL alone."""
    return Settings(
        database_url=urls.web,
        redis_url="redis://127.0.0.1:1",
        base_domain=base_domain,
        master_keys=(master_key(),),
    )


def registry_for(urls: DatabaseUrls, db: Database) -> Registry:
    """The acts of the command line in a test."""
    return Registry(settings_for(urls), db, Actor("system", "test"))


async def add_merchant(registry: Registry, slug: str = "lumen", name: str = "Lumen") -> Tenant:
    """A tenant of the agency Atelier, which is added when it is not there yet."""
    try:
        return await registry.add_tenant(AGENCY, slug, name)
    except UnknownAgency:
        await registry.add_agency(AGENCY, "Atelier")
        return await registry.add_tenant(AGENCY, slug, name)
