"""A shop at the sandbox with its tenant, for looking at one account alone."""

from tests.workers.conftest import shop, tenant

__all__ = ["shop", "tenant"]
