"""Secrets of each tenant, sealed: a data key for each, wrapped by the deployment's master key.

AES-256-GCM throughout. Both layers are bound to the tenant and the secret's name, so a row that is
copied to another tenant or another name opens nowhere. Rotation wraps the data keys anew under
the current master key and leaves the sealed values as they are.
"""

import base64
import binascii
import hashlib
import os
from collections.abc import Sequence
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from tenants.connection import Connection
from tenants.errors import TenantsError

_KEY_BYTES = 32
# The nonce's length that NIST SP 800-38D recommends for GCM. It is drawn at random, which is
# good for 2^32 data keys under one master key.
_NONCE_BYTES = 12


class VaultError(TenantsError):
    """A secret cannot be opened, or a master key cannot be used. The text holds neither."""


class Vault:
    """Seals and opens secrets.

    The first master key seals; the others only open what was sealed before the last rotation.
    Each is 32 bytes in base64. Raises `VaultError` for a key that is not.
    """

    def __init__(self, master_keys: Sequence[str]) -> None:
        if not master_keys:
            raise VaultError("there is no master key")
        keys = [_decode(key, place) for place, key in enumerate(master_keys, start=1)]
        self._masters = {master_key_id(key): AESGCM(key) for key in keys}
        self.current = master_key_id(keys[0])

    def __repr__(self) -> str:
        return f"<Vault under master key {self.current}>"

    async def store(self, connection: Connection, tenant_id: UUID, name: str, value: str) -> None:
        """Seal `value` under a new data key, in place of the one that had this name."""
        data_key = AESGCM.generate_key(bit_length=8 * _KEY_BYTES)
        sealed = _encrypt(AESGCM(data_key), value.encode(), _binding("value", tenant_id, name))
        await connection.execute(
            """
            insert into secrets (tenant_id, name, sealed, wrapped_key, master_key_id)
            values ($1, $2, $3, $4, $5)
            on conflict (tenant_id, name) do update
            set
              sealed = excluded.sealed,
              wrapped_key = excluded.wrapped_key,
              master_key_id = excluded.master_key_id,
              changed_at = now()
            """,
            tenant_id,
            name,
            sealed,
            self._wrap(data_key, tenant_id, name),
            self.current,
        )

    async def open(self, connection: Connection, tenant_id: UUID, name: str) -> str | None:
        """The secret, or None when none of this name is kept. Raises `VaultError`."""
        row = await connection.fetchrow(
            """
            select sealed, wrapped_key, master_key_id
            from secrets
            where tenant_id = $1
            and name = $2
            """,
            tenant_id,
            name,
        )
        if row is None:
            return None
        data_key = self._unwrap(row["wrapped_key"], row["master_key_id"], tenant_id, name)
        binding = _binding("value", tenant_id, name)
        return _decrypt(AESGCM(data_key), row["sealed"], binding, name).decode()

    async def remove(self, connection: Connection, tenant_id: UUID, name: str) -> bool:
        """Forget a secret; answers whether there was one."""
        removed = await connection.fetchval(
            """
            delete from secrets
            where tenant_id = $1
            and name = $2
            returning true
            """,
            tenant_id,
            name,
        )
        return bool(removed)

    async def rotate(self, connection: Connection, tenant_id: UUID) -> int:
        """Wrap this tenant's data keys under the current master key; answers how many it did.

        Readers never wait and never fail: a row changes from one whole state to another. A secret
        that is replaced in the meantime is left as it then is. Raises `VaultError`.
        """
        rows = await connection.fetch(
            """
            select name, wrapped_key, master_key_id
            from secrets
            where tenant_id = $1
            and master_key_id <> $2
            order by name
            """,
            tenant_id,
            self.current,
        )
        count = 0
        for row in rows:
            name, wrapped = row["name"], row["wrapped_key"]
            data_key = self._unwrap(wrapped, row["master_key_id"], tenant_id, name)
            done = await connection.fetchval(
                """
                update secrets
                set wrapped_key = $3, master_key_id = $4
                where tenant_id = $1
                and name = $2
                and wrapped_key = $5
                returning 1
                """,
                tenant_id,
                name,
                self._wrap(data_key, tenant_id, name),
                self.current,
                wrapped,
            )
            count += done or 0
        return count

    def _wrap(self, data_key: bytes, tenant_id: UUID, name: str) -> bytes:
        binding = _binding("key", tenant_id, name)
        return _encrypt(self._masters[self.current], data_key, binding)

    def _unwrap(self, wrapped: bytes, key_id: str, tenant_id: UUID, name: str) -> bytes:
        if key_id not in self._masters:
            raise VaultError(f"the secret {name} is sealed under master key {key_id}, not given")
        return _decrypt(self._masters[key_id], wrapped, _binding("key", tenant_id, name), name)


async def secret_names(connection: Connection, tenant_id: UUID) -> list[str]:
    """Which secrets a tenant has, by name alone."""
    rows = await connection.fetch(
        """
        select name
        from secrets
        where tenant_id = $1
        order by name
        """,
        tenant_id,
    )
    return [row["name"] for row in rows]


def master_key_id(key: bytes) -> str:
    """What a master key is called where it may be seen: the start of its SHA-256."""
    return hashlib.sha256(key).hexdigest()[:16]


def _decode(key: str, place: int) -> bytes:
    try:
        decoded = base64.b64decode(key, validate=True)
    except (binascii.Error, ValueError):
        decoded = b""
    if len(decoded) != _KEY_BYTES:
        # Raised outside of the except clause: the decoder's error may quote what was given.
        raise VaultError(
            f"master key {place} is not 32 bytes in base64; `openssl rand -base64 32` makes one"
        )
    return decoded


def _binding(layer: str, tenant_id: UUID, name: str) -> bytes:
    """The associated data. The name stands last, so no two triples make the same bytes."""
    return f"guichet secret {layer} {tenant_id} {name}".encode()


def _encrypt(cipher: AESGCM, plain: bytes, binding: bytes) -> bytes:
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + cipher.encrypt(nonce, plain, binding)


def _decrypt(cipher: AESGCM, sealed: bytes, binding: bytes, name: str) -> bytes:
    # A sealed value shorter than its nonce raises ValueError, a forged one InvalidTag.
    try:
        return cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], binding)
    except (InvalidTag, ValueError):
        pass
    raise VaultError(f"the secret {name} does not open: its row was altered or copied")
