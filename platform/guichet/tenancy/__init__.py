"""Which tenant a request is for, and the one way to make a URL for a tenant."""

from guichet.tenancy.addresses import Addresses
from guichet.tenancy.directory import Directory
from guichet.tenancy.entries import TenantEntry
from guichet.tenancy.hosts import MalformedHost, canonical_host
from guichet.tenancy.registry import Registry

__all__ = [
    "Addresses",
    "Directory",
    "MalformedHost",
    "Registry",
    "TenantEntry",
    "canonical_host",
]
