"""The family of this floor's errors; each stands beside the code that raises it."""


class TenantsError(Exception):
    """A rule of agencies, tenants or what they own says no; the text says why, for staff."""
