"""The connection that each function of this floor is given by its caller."""

from typing import TypeAlias

import asyncpg
from asyncpg.pool import PoolConnectionProxy

# Quoted, because asyncpg's classes take type arguments from its stubs only.
Connection: TypeAlias = "asyncpg.Connection[asyncpg.Record] | PoolConnectionProxy[asyncpg.Record]"
