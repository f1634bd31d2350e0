"""Which tenant a request is for, and the one way to make a URL for a tenant."""

from guichet.tenancy.directory import Directory
from guichet.tenancy.entries import TenantEntry
from guichet.tenancy.hosts import MalformedHost, canonical_host

__all__ = ["Directory", "MalformedHost", "TenantEntry", "canonical_host"]
