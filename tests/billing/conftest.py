"""The same merchant as for the portal's tests."""

from tests.portal.conftest import shop

__all__ = ["shop"]
