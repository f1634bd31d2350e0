"""The client secrets of merchants' identity providers, each for the issuer that it was given for.

Nobody can read a secret back. So it is sent to no other issuer than the one it was pasted for:
whoever may edit the settings could otherwise have it sent to an issuer of their own.
"""

from datetime import datetime

import msgspec

from guichet.auth.failures import IdentityProviderMisconfigured
from guichet.db import Unit
from tenants.identity_providers import IdentityProvider, secret_name
from tenants.vault import Vault, secret_names


class ClientSecret(msgspec.Struct, frozen=True, kw_only=True):
    """What is known of a secret that is set."""

    #: None where it was set in another way than in the console.
    issuer: str | None
    set_at: datetime | None
    set_by: str | None


async def known_secrets(unit: Unit) -> dict[str, ClientSecret]:
    """The unit's tenant's client secrets, by the provider's id."""
    rows = await unit.fetch(
        """
        select provider, issuer, set_at, set_by
        from identity_provider_secrets
        where tenant_id = $1
        """,
        unit.tenant_id,
    )
    names = await secret_names(unit.connection, unit.tenant_id)
    unbound = ClientSecret(issuer=None, set_at=None, set_by=None)
    found = {it.removeprefix("oidc:"): unbound for it in names if it.startswith("oidc:")}
    for row in rows:
        found[row["provider"]] = ClientSecret(
            issuer=row["issuer"], set_at=row["set_at"], set_by=row["set_by"]
        )
    return found


async def keep_client_secret(
    unit: Unit, vault: Vault, provider: IdentityProvider, value: str, set_by: str
) -> None:
    """Seal a provider's client secret for its issuer."""
    await vault.store(unit.connection, unit.tenant_id, secret_name(provider.id), value)
    # After it, since a trigger forgets whom the secret before was for.
    await unit.execute(
        """
        insert into identity_provider_secrets (tenant_id, provider, issuer, set_by)
        values ($1, $2, $3, $4)
        on conflict (tenant_id, provider) do update
        set
          issuer = excluded.issuer,
          set_at = now(),
          set_by = excluded.set_by
        """,
        unit.tenant_id,
        provider.id,
        provider.issuer,
        set_by,
    )


async def forget_client_secret(unit: Unit, vault: Vault, provider_id: str) -> bool:
    """Remove a provider's client secret; answers whether there was one."""
    # A trigger forgets whom it was for.
    return await vault.remove(unit.connection, unit.tenant_id, secret_name(provider_id))


async def open_client_secret(
    unit: Unit, vault: Vault, provider: IdentityProvider, trusted_issuer: str | None = None
) -> str | None:
    """The provider's secret; None for a public client.

    One that was set in another way than in the console goes to the issuer that is configured; with
    `trusted_issuer`, only to that one. Raises `IdentityProviderMisconfigured` for a secret that was
    given for another issuer.
    """
    known = (await known_secrets(unit)).get(provider.id)
    if known is None:
        return None
    issuer = known.issuer or trusted_issuer or provider.issuer
    if issuer != provider.issuer:
        raise IdentityProviderMisconfigured(reason="the client secret is another issuer's")
    return await vault.open(unit.connection, unit.tenant_id, secret_name(provider.id))
