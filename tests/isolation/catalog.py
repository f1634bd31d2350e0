"""What PostgreSQL's own catalog says about isolation; each function answers what is wrong."""

from typing import Any

Connection = Any  # A connection of asyncpg, in a transaction or not.

#: Tables of the directory itself, and dbmate's own.
WITHOUT_TENANT = {
    "agencies",
    "agency_audit_log",
    "agency_invitations",
    "agency_members",
    "schema_migrations",
    "staff",
    "staff_identities",
    "staff_links",
    "staff_messages",
    "staff_sessions",
    "staff_sign_in_attempts",
    "tenants",
}
#: What an agency sees of itself, by the column that names the agency.
OF_AGENCY = {
    "agencies": "id",
    "tenants": "agency_id",
    "agency_members": "agency_id",
    "agency_invitations": "agency_id",
    "agency_audit_log": "agency_id",
    "tenant_figures": "agency_id",
}
#: A verified host names one tenant in the whole deployment. Only guichet_system writes there.
UNIQUE_ACROSS_TENANTS = {"hosts_host"}

#: Everything that guichet_system may do, `<privilege> <table>` or `<privilege> <table>.<column>`.
SYSTEM_GRANTS = {
    "select agencies",
    "insert agencies",
    "update agencies",
    "select tenants",
    "insert tenants",
    "update tenants",
    "select hosts",
    "insert hosts",
    "update hosts",
    "delete hosts",
    "select agency_audit_log",
    "insert agency_audit_log",
    "insert audit_log",
    # Who the staff are, before it is known for whom they work.
    "select staff",
    "insert staff",
    "update staff",
    "select staff_identities",
    "insert staff_identities",
    "select staff_sign_in_attempts",
    "insert staff_sign_in_attempts",
    "delete staff_sign_in_attempts",
    *(
        f"{privilege} {table}"
        for privilege in ("select", "insert", "update", "delete")
        for table in ("staff_links", "staff_sessions", "staff_messages")
    ),
    *(
        f"{privilege} {owner}_{table}"
        for privilege in ("select", "insert", "update")
        for owner in ("agency", "tenant")
        for table in ("members", "invitations")
    ),
    "select provider_events.tenant_id",
    "select provider_events.received_at",
    "select provider_events.handled_at",
    "select provider_events.claimed_until",
    "select reconciliations.tenant_id",
    "select reconciliations.read_until",
    "select provider_connections.tenant_id",
    "select provider_connections.rejected_at",
    "select provider_connections.reason",
    "select provider_connections.refused",
    "select provider_connections.checked_at",
    "select provider_connections.stopped",
    # Whose webhook endpoints are to be looked at, and since when.
    "select provider_endpoints.tenant_id",
    "select provider_endpoints.due_at",
    "select former_accounts.tenant_id",
    "select former_accounts.due_at",
    "select book_checks.tenant_id",
    "select book_checks.due_at",
    "select book_checks.finished_at",
    "select book_checks.differences",
    "select book_checks.failure",
    "select change_requests.tenant_id",
    "select change_requests.state",
    "select change_requests.claimed_until",
    # Which tenants have something to follow, to decide or to send, and since when.
    "select mirror_news.tenant_id",
    "select mirror_news.id",
    "select mirror_news.noted_at",
    "select mirror_news.set_aside_at",
    "select dunning_attempts.tenant_id",
    "select dunning_attempts.initiator",
    "select dunning_attempts.state",
    "select dunning_attempts.sent_at",
    "select dunning_attempts.finished_at",
    "select dunning_attempts.looked_at",
    "select dunning_cases.tenant_id",
    "select dunning_cases.wake_at",
    "select dunning_cases.policy_version",
    "select dunning_cases.state",
    "select messages.tenant_id",
    "select messages.due_at",
    "select messages.state",
    "select messages.kind",
    # Whose figures are due, and none of them.
    "select tenant_figures.tenant_id",
    "select tenant_figures.due_at",
    "select support_views.tenant_id",
    "select support_views.id",
    "select support_views.staff_id",
    "select support_views.staff_name",
    "select support_views.session_id",
    "select support_views.token_hash",
    "select support_views.expires_at",
    "select support_views.ended_at",
}

#: What a role may never have on a table: TRUNCATE ignores policies, REFERENCES tells of rows that
#: the role cannot see, TRIGGER runs code as whoever writes.
_NEVER = ("truncate", "references", "trigger")

APPLICATION_ROLES = ("guichet_agency", "guichet_app", "guichet_system", "guichet_web")


async def unprotected_tables(connection: Connection) -> list[str]:
    """Tables without row-level security, or that nobody thought of."""
    rows = await connection.fetch(
        """
        select
          relation.relname as name,
          relation.relrowsecurity and relation.relforcerowsecurity as forced,
          exists (
            select
            from pg_attribute as attribute
            where attribute.attrelid = relation.oid
            and attribute.attname = 'tenant_id'
          ) as has_tenant
        from pg_class as relation
        where relation.relnamespace = 'public'::regnamespace
        and relation.relkind in ('r', 'p')
        """
    )
    return [
        f"{row['name']} has no forced row-level security"
        for row in rows
        if not row["forced"] and row["name"] != "schema_migrations"
    ] + [
        f"{row['name']} has no tenant_id"
        for row in rows
        if not row["has_tenant"] and row["name"] not in WITHOUT_TENANT
    ]


async def loose_policies(connection: Connection) -> list[str]:
    """Policies that show an application more than its tenant, and tables that lack one."""
    rows = await connection.fetch(
        """
        select
          relation.relname as table,
          policy.polname as policy,
          array(select rolname::text from pg_roles where oid = any(policy.polroles)) as roles,
          policy.polpermissive as permissive,
          policy.polcmd::text as command,
          pg_get_expr(policy.polqual, policy.polrelid) as shown,
          pg_get_expr(policy.polwithcheck, policy.polrelid) as written
        from pg_class as relation
        left join pg_policy as policy on policy.polrelid = relation.oid
        where relation.relnamespace = 'public'::regnamespace
        and relation.relkind in ('r', 'p')
        """
    )
    wrong = []
    for row in rows:
        if row["policy"] is None or row["roles"] == ["guichet_system"]:
            continue
        if tuple(row)[2:] != _wanted(row["table"], row["roles"]):
            wrong.append(f"{row['table']} has a loose policy")
    tenant_tables = {row["table"] for row in rows} - (WITHOUT_TENANT - {"tenants"})
    scoped = {row["table"] for row in rows if row["roles"] == ["guichet_app"]}
    return wrong + [f"{table} has no tenant policy" for table in tenant_tables - scoped]


def _wanted(table: str, roles: list[str]) -> tuple[object, ...]:
    """What a policy of one tenant's or one agency's rows says."""
    column = "id" if table == "tenants" else "tenant_id"
    shown = f"({column} = current_tenant())"
    if roles == ["guichet_agency"]:
        shown = f"({OF_AGENCY.get(table, 'none')} = current_agency())"
    return (roles, True, "*", shown, None)


async def keys_across_tenants(connection: Connection) -> list[str]:
    """Unique indexes of tenant tables that do not begin with tenant_id."""
    rows = await connection.fetch(
        """
        select
          holder.relname as table,
          named.relname as index,
          (
            select attribute.attname
            from pg_attribute as attribute
            where attribute.attrelid = holder.oid
            and attribute.attnum = index.indkey[0]
          ) as first
        from pg_index as index
        join pg_class as named on named.oid = index.indexrelid
        join pg_class as holder on holder.oid = index.indrelid
        where holder.relnamespace = 'public'::regnamespace
        and index.indisunique
        """
    )
    return [
        f"{row['index']} is unique across tenants"
        for row in rows
        if row["table"] not in WITHOUT_TENANT
        and row["first"] != "tenant_id"
        and row["index"] not in UNIQUE_ACROSS_TENANTS
    ]


async def tables_without_primary_key(connection: Connection) -> list[str]:
    """Tables without a primary key."""
    rows = await connection.fetch(
        """
        select relation.relname as name
        from pg_class as relation
        where relation.relnamespace = 'public'::regnamespace
        and relation.relkind in ('r', 'p')
        and not exists (
          select
          from pg_index as index
          where index.indrelid = relation.oid
          and index.indisprimary
        )
        """
    )
    return [f"{row['name']} has no primary key" for row in rows]


async def references_across_tenants(connection: Connection) -> list[str]:
    """Foreign keys by which a row could point into another tenant."""
    rows = await connection.fetch(
        """
        select
          constraint_.conname as name,
          constraint_.conrelid::regclass::text as from_table,
          constraint_.confrelid::regclass::text as to_table,
          array(
            select source.attname || '=' || target.attname
            from unnest(constraint_.conkey, constraint_.confkey) as pair (source, target)
            join pg_attribute as source
              on source.attrelid = constraint_.conrelid and source.attnum = pair.source
            join pg_attribute as target
              on target.attrelid = constraint_.confrelid and target.attnum = pair.target
          ) as columns
        from pg_constraint as constraint_
        where constraint_.contype = 'f'
        and constraint_.connamespace = 'public'::regnamespace
        """
    )
    wrong = []
    for row in rows:
        # Who the staff are belongs to nobody's tenant, and a tenant writes no member's person.
        if row["from_table"] in WITHOUT_TENANT or row["to_table"] == "staff":
            continue
        wanted = "tenant_id=id" if row["to_table"] == "tenants" else "tenant_id=tenant_id"
        if wanted not in row["columns"]:
            wrong.append(f"{row['name']} may point into another tenant")
    return wrong


async def leaking_views_and_functions(connection: Connection) -> list[str]:
    """Views and functions that run with their owner's rights, and views that keep copies."""
    rows = await connection.fetch(
        """
        select relation.relname || ' is a view with its owner''s rights' as fault
        from pg_class as relation
        where relation.relnamespace = 'public'::regnamespace
        and relation.relkind = 'v'
        and not coalesce('security_invoker=true' = any(relation.reloptions), false)
        union all
        select relation.relname || ' is a materialized view'
        from pg_class as relation
        where relation.relnamespace = 'public'::regnamespace
        and relation.relkind = 'm'
        union all
        select function.proname || ' is security definer'
        from pg_proc as function
        where function.pronamespace = 'public'::regnamespace
        and function.prosecdef
        """
    )
    return [row["fault"] for row in rows]


async def mighty_roles(connection: Connection) -> list[str]:
    """Roles of the application that bypass, create, own or belong to more than they should."""
    rows = await connection.fetch(
        """
        select
          role.rolname as name,
          role.rolsuper or role.rolbypassrls or role.rolcreaterole or role.rolcreatedb
            or role.rolreplication as mighty,
          (
            select count(1)
            from pg_shdepend as owned
            where owned.refobjid = role.oid
            and owned.deptype = 'o'
            and owned.dbid in (0, (select oid from pg_database where datname = current_database()))
          ) as owned,
          array(
            select member.roleid::regrole::text
            from pg_auth_members as member
            where member.member = role.oid
          ) as member_of,
          has_schema_privilege(role.oid, 'public', 'create') as creates
        from pg_roles as role
        where role.rolname = any($1)
        """,
        list(APPLICATION_ROLES),
    )
    belongs = {"guichet_app": ["guichet_agency", "guichet_system"], "guichet_web": ["guichet_app"]}
    wrong = []
    for row in rows:
        if row["mighty"] or row["creates"] or row["owned"]:
            wrong.append(f"{row['name']} is mighty or owns something")
        if sorted(row["member_of"]) != belongs.get(row["name"], []):
            wrong.append(f"{row['name']} belongs to {row['member_of']}")
    return wrong


async def dangerous_grants(connection: Connection) -> list[str]:
    """Privileges that go round row-level security, and privileges of everybody."""
    rows = await connection.fetch(
        """
        select relation.relname as table, role.name, privilege.name as privilege
        from pg_class as relation
        cross join unnest($1::text[]) as role (name)
        cross join unnest($2::text[]) as privilege (name)
        where relation.relnamespace = 'public'::regnamespace
        and relation.relkind in ('r', 'p', 'v')
        and has_table_privilege(role.name, relation.oid, privilege.name)
        union all
        select relation.relname, 'everybody', item.privilege_type
        from pg_class as relation
        cross join aclexplode(relation.relacl) as item
        where relation.relnamespace = 'public'::regnamespace
        and item.grantee = 0
        """,
        list(APPLICATION_ROLES),
        list(_NEVER),
    )
    return [f"{row['name']} has {row['privilege'].lower()} on {row['table']}" for row in rows]


async def system_grants(connection: Connection) -> set[str]:
    """What guichet_system was granted, as `SYSTEM_GRANTS` spells it."""
    rows = await connection.fetch(
        """
        select lower(item.privilege_type) || ' ' || relation.relname as grant
        from pg_class as relation
        cross join aclexplode(relation.relacl) as item
        where relation.relnamespace = 'public'::regnamespace
        and relation.relkind <> 'S'
        and item.grantee = 'guichet_system'::regrole
        union all
        select
          lower(item.privilege_type) || ' ' || relation.relname || '.' || attribute.attname
        from pg_class as relation
        join pg_attribute as attribute on attribute.attrelid = relation.oid
        cross join aclexplode(attribute.attacl) as item
        where relation.relnamespace = 'public'::regnamespace
        and item.grantee = 'guichet_system'::regrole
        """
    )
    return {row["grant"] for row in rows}
