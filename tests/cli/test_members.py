"""`guichet agency set-member` and `guichet tenant set-member`."""

from guichet.db import Database
from tests.cli.commands import Guichet


async def _merchant(guichet: Guichet) -> None:
    await guichet("agency", "add", "atelier", "Atelier")
    await guichet("tenant", "add", "lumen", "Lumen", "--agency", "atelier")


async def test_a_member_is_set_and_set_anew(guichet: Guichet, db: Database) -> None:
    await _merchant(guichet)
    for role in ("owner", "analyst"):
        result = await guichet(
            "tenant", "set-member", "lumen", "Noor@Lumen.example", "--role", role
        )
        assert (result.exit_code, result.output) == (0, f"Noor@Lumen.example is {role} of lumen\n")
    result = await guichet(
        "agency", "set-member", "atelier", "noor@lumen.example", "--role", "owner"
    )
    assert result.exit_code == 0
    async with db.system() as connection:
        people = await connection.fetch("select email from staff")
        at_lumen = await connection.fetch("select email, role, added_by from tenant_members")
        at_atelier = await connection.fetchval("select role from agency_members")
        noted = await connection.fetchrow("select action, object from agency_audit_log offset 1")
    assert [row["email"] for row in people] == ["noor@lumen.example"]
    assert [tuple(row)[:2] for row in at_lumen] == [("noor@lumen.example", "analyst")]
    assert at_lumen[0]["added_by"].startswith("command:")
    assert at_atelier == "owner"
    assert noted is not None
    assert noted["action"] == "member.set"


async def test_a_role_or_an_address_that_cannot_be_ends_with_a_reason(
    guichet: Guichet, db: Database
) -> None:
    await _merchant(guichet)
    role = await guichet("tenant", "set-member", "lumen", "a@example.com", "--role", "root")
    assert role.exit_code == 2
    assert "owner" in role.stderr
    address = await guichet("tenant", "set-member", "lumen", "nobody", "--role", "owner")
    assert (address.exit_code, address.stderr) == (1, "Error: 'nobody' is no address of mail\n")
    unknown = await guichet("agency", "set-member", "nobody", "a@example.com", "--role", "owner")
    assert (unknown.exit_code, unknown.stderr) == (1, "Error: there is no agency nobody\n")
    async with db.system() as connection:
        assert await connection.fetchval("select count(1) from staff") == 0
