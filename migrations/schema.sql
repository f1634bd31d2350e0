SET statement_timeout = 0;
SET lock_timeout = 0;
SET idle_in_transaction_session_timeout = 0;
SET client_encoding = 'UTF8';
SET standard_conforming_strings = on;
SELECT pg_catalog.set_config('search_path', '', false);
SET check_function_bodies = false;
SET xmloption = content;
SET client_min_messages = warning;
SET row_security = off;

CREATE FUNCTION public.announce_tenant() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  perform pg_notify('guichet_tenants', new.id::text);
  return null;
end $$;

CREATE FUNCTION public.current_agency() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (NULLIF(current_setting('guichet.agency'::text, true), ''::text))::uuid;

CREATE FUNCTION public.current_tenant() RETURNS uuid
    LANGUAGE sql STABLE PARALLEL SAFE
    RETURN (NULLIF(current_setting('guichet.tenant'::text, true), ''::text))::uuid;

CREATE FUNCTION public.forget_issuer() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  delete from identity_provider_secrets
  where tenant_id = coalesce(new.tenant_id, old.tenant_id)
  and provider = substr(coalesce(new.name, old.name), 6);
  return null;
end $$;

CREATE FUNCTION public.may_live_by_test_clock(tenant uuid, customer text) RETURNS boolean
    LANGUAGE sql STABLE
    AS $$
  select customer is not null and coalesce(
    (
      select held.test_clock_id is not null
      from customers as held
      where held.tenant_id = tenant
      and held.id = customer
    ),
    true
  )
$$;

CREATE FUNCTION public.next_directory_change() RETURNS bigint
    LANGUAGE plpgsql
    AS $$
begin
  perform pg_current_xact_id();
  return nextval('directory_changes');
end $$;

CREATE FUNCTION public.note_news() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
declare
  was jsonb;
begin
  -- One expression may not name columns that another table lacks.
  if tg_op = 'UPDATE' then
    if tg_argv[0] = 'invoice' then
      was := jsonb_build_object('status', old.status, 'attempt_count', old.attempt_count);
    elsif tg_argv[0] = 'subscription' then
      was := jsonb_build_object(
        'status', old.status, 'cancel_at_period_end', old.cancel_at_period_end, 'trial_end_at', old.trial_end_at
      );
    elsif tg_argv[0] = 'payment_method' then
      was := jsonb_build_object('customer_id', old.customer_id);
    else
      was := '{}';
    end if;
  end if;
  insert into mirror_news (tenant_id, kind, object_id, was)
  values (new.tenant_id, tg_argv[0], new.id, was);
  return null;
end $$;

CREATE FUNCTION public.portal_home(tenant uuid, session_token_hash bytea) RETURNS text
    LANGUAGE plpgsql
    AS $$
declare
  visitor record;
begin
  perform set_config('guichet.tenant', tenant::text, true);

  select session.id, session.customer_id, session.seen_at
  into visitor
  from sessions as session
  where session.tenant_id = tenant
  and session.token_hash = session_token_hash
  and session.revoked_at is null
  and session.expires_at > now();

  if not found then
    select view.id, view.customer_id, now() as seen_at
    into visitor
    from support_views as view
    where view.tenant_id = tenant
    and view.token_hash = session_token_hash
    and view.ended_at is null
    and view.expires_at > now();

    if not found then
      return null;
    end if;
  end if;

  if visitor.seen_at < now() - interval '5 minutes' then
    update sessions
    set seen_at = now(),
      expires_at = least(created_at + interval '30 days', now() + interval '7 days')
    where tenant_id = tenant
    and id = visitor.id;
  end if;

  return (
    select json_build_object(
      'session', json_build_object(
        'id', visitor.id,
        'customer_id', customer.id,
        'customer_email', customer.email,
        'customer_name', customer.name,
        'locale', (
          select preference.locale
          from preferences as preference
          where preference.tenant_id = tenant
          and preference.customer_id = customer.id
        )
      ),
      'now', coalesce(clock.frozen_at, now()),
      'subscriptions', (
        select coalesce(json_agg(newest.document), '[]')
        from (
          select listed.document
          from subscription_documents as listed
          where listed.tenant_id = tenant
          and listed.customer_id = customer.id
          order by listed.status in ('canceled', 'incomplete_expired'), listed.created_at desc, listed.id
          limit 50
        ) as newest
      ),
      'payment_method', (
        select json_build_object(
          'id', method.id,
          'type', method.type,
          'brand', method.brand,
          'last4', method.last4,
          'exp_month', method.exp_month,
          'exp_year', method.exp_year
        )
        from payment_methods as method
        where method.tenant_id = tenant
        and method.customer_id = customer.id
        order by method.id is not distinct from customer.default_payment_method_id desc, method.created_at desc
        limit 1
      ),
      'invoices', (
        select coalesce(json_agg(newest.document), '[]')
        from (
          select listed.document
          from invoice_documents as listed
          where listed.tenant_id = tenant
          and listed.customer_id = customer.id
          and listed.status <> 'draft'
          order by listed.created_at desc, listed.id desc
          limit 10
        ) as newest
      ),
      'failed_payments', (
        select coalesce(json_agg(oldest.document), '[]')
        from (
          select listed.document
          from failed_payment_documents as listed
          where listed.tenant_id = tenant
          and listed.customer_id = customer.id
          order by listed.created_at, listed.id
          limit 20
        ) as oldest
      )
    )::text
    from customers as customer
    left join test_clocks as clock
      on clock.tenant_id = customer.tenant_id
      and clock.id = customer.test_clock_id
    where customer.tenant_id = tenant
    and customer.id = visitor.customer_id
    and not customer.deleted
  );
end $$;

CREATE FUNCTION public.renew_connection() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  insert into provider_connections as held (tenant_id, key_set_at)
  values (coalesce(new.tenant_id, old.tenant_id), clock_timestamp())
  on conflict (tenant_id) do update
  set
    key_set_at = excluded.key_set_at,
    rejected_at = null,
    reason = null,
    refused = null,
    checked_at = now()
  where held.tenant_id = excluded.tenant_id;
  return null;
end $$;

CREATE FUNCTION public.replaced_plan(tenant uuid, subscription text, request jsonb) RETURNS text
    LANGUAGE sql STABLE
    AS $$
  select product.name
  from subscription_items as item
  join prices as price
    on price.tenant_id = tenant
    and price.id = item.price_id
  join products as product
    on product.tenant_id = tenant
    and product.id = price.product_id
  where item.tenant_id = tenant
  and item.subscription_id = subscription
  order by item.id is distinct from request #>> '{items,0,item_id}', item.position
  limit 1
$$;

CREATE FUNCTION public.standing_of(status text) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN CASE status WHEN 'active'::text THEN 'active'::text WHEN 'trialing'::text THEN 'trial'::text WHEN 'past_due'::text THEN 'past_due'::text WHEN 'unpaid'::text THEN 'past_due'::text WHEN 'canceled'::text THEN 'cancelled'::text ELSE NULL::text END;

CREATE FUNCTION public.store_provider_events(event_tenants uuid[], event_ids text[], event_types text[], event_objects text[], event_times timestamp with time zone[], event_bodies bytea[]) RETURNS void
    LANGUAGE plpgsql
    AS $$
declare
  tenant uuid;
begin
  for tenant in
    select distinct given.tenant_id
    from unnest(event_tenants) as given (tenant_id)
    order by given.tenant_id
  loop
    perform set_config('guichet.tenant', tenant::text, true);

    insert into provider_events (tenant_id, id, type, object_id, created_at, body)
    select event.tenant_id, event.id, event.type, event.object_id, event.created_at, event.body
    from unnest(event_tenants, event_ids, event_types, event_objects, event_times, event_bodies)
      as event (tenant_id, id, type, object_id, created_at, body)
    where event.tenant_id = tenant
    order by event.id
    on conflict (tenant_id, id) do nothing;
  end loop;

  -- Whatever else the transaction does, it does in nobody's scope.
  perform set_config('guichet.tenant', '', true);
end $$;

CREATE FUNCTION public.tenant_changes() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  new.change_no := next_directory_change();
  new.changed_in := pg_current_xact_id();
  new.changed_at := now();
  return new;
end $$;

CREATE FUNCTION public.touch_tenant() RETURNS trigger
    LANGUAGE plpgsql
    AS $$
begin
  update tenants
  set changed_at = now()
  where id = coalesce(new.tenant_id, old.tenant_id);
  return null;
end $$;

SET default_table_access_method = heap;

CREATE TABLE public.agencies (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    slug text NOT NULL,
    name text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT agencies_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT agencies_slug_check CHECK ((slug ~ '^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$'::text))
);

ALTER TABLE ONLY public.agencies FORCE ROW LEVEL SECURITY;

CREATE TABLE public.agency_audit_log (
    agency_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    actor_kind text NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    object text NOT NULL,
    details jsonb DEFAULT '{}'::jsonb NOT NULL,
    request_id text,
    CONSTRAINT agency_audit_log_actor_kind_check CHECK ((actor_kind = ANY (ARRAY['staff'::text, 'system'::text])))
);

ALTER TABLE ONLY public.agency_audit_log FORCE ROW LEVEL SECURITY;

CREATE TABLE public.agency_invitations (
    agency_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    email text NOT NULL,
    role text NOT NULL,
    invited_by text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    accepted_at timestamp with time zone,
    revoked_at timestamp with time zone,
    CONSTRAINT agency_invitations_email_check CHECK ((((length(email) >= 3) AND (length(email) <= 254)) AND (email = lower(email)))),
    CONSTRAINT agency_invitations_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'member'::text])))
);

ALTER TABLE ONLY public.agency_invitations FORCE ROW LEVEL SECURITY;

CREATE TABLE public.agency_members (
    agency_id uuid NOT NULL,
    staff_id uuid NOT NULL,
    email text NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    role text NOT NULL,
    added_at timestamp with time zone DEFAULT now() NOT NULL,
    added_by text NOT NULL,
    CONSTRAINT agency_members_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'member'::text])))
);

ALTER TABLE ONLY public.agency_members FORCE ROW LEVEL SECURITY;

CREATE TABLE public.assets (
    tenant_id uuid NOT NULL,
    id text NOT NULL,
    media_type text NOT NULL,
    body bytea NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    unused_since timestamp with time zone,
    CONSTRAINT assets_body_check CHECK ((octet_length(body) <= 524288)),
    CONSTRAINT assets_id_check CHECK ((id ~ '^[0-9a-f]{64}$'::text)),
    CONSTRAINT assets_media_type_check CHECK ((media_type = ANY (ARRAY['image/svg+xml'::text, 'image/png'::text, 'image/jpeg'::text, 'image/webp'::text])))
);

ALTER TABLE ONLY public.assets FORCE ROW LEVEL SECURITY;

CREATE TABLE public.audit_log (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    at timestamp with time zone DEFAULT now() NOT NULL,
    actor_kind text NOT NULL,
    actor text NOT NULL,
    action text NOT NULL,
    object text NOT NULL,
    details jsonb DEFAULT '{}'::jsonb NOT NULL,
    request_id text,
    CONSTRAINT audit_log_actor_kind_check CHECK ((actor_kind = ANY (ARRAY['customer'::text, 'staff'::text, 'system'::text, 'provider'::text])))
);

ALTER TABLE ONLY public.audit_log FORCE ROW LEVEL SECURITY;

CREATE TABLE public.book_checks (
    tenant_id uuid NOT NULL,
    due_at timestamp with time zone NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    finished_at timestamp with time zone,
    objects integer DEFAULT 0 NOT NULL,
    differences integer DEFAULT 0 NOT NULL,
    repaired integer DEFAULT 0 NOT NULL,
    unexamined integer DEFAULT 0 NOT NULL,
    failure text,
    methods_after text DEFAULT ''::text NOT NULL
);

ALTER TABLE ONLY public.book_checks FORCE ROW LEVEL SECURITY;

CREATE TABLE public.book_differences (
    tenant_id uuid NOT NULL,
    rule text NOT NULL,
    kind text NOT NULL,
    id text NOT NULL,
    held jsonb,
    provider jsonb,
    remedy text NOT NULL,
    found_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT book_differences_remedy_check CHECK ((remedy = ANY (ARRAY['fetch_anew'::text, 'fetched_anew'::text, 'retry'::text, 'tell_merchant'::text])))
);

ALTER TABLE ONLY public.book_differences FORCE ROW LEVEL SECURITY;

CREATE TABLE public.card_pages (
    tenant_id uuid NOT NULL,
    id text NOT NULL,
    customer_id text NOT NULL,
    invoice_id text,
    payment_method_id text,
    opened_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.card_pages FORCE ROW LEVEL SECURITY;

CREATE TABLE public.change_requests (
    tenant_id uuid NOT NULL,
    id uuid NOT NULL,
    customer_id text NOT NULL,
    subscription_id text NOT NULL,
    kind text NOT NULL,
    request jsonb NOT NULL,
    state text NOT NULL,
    failure text,
    tries smallint DEFAULT 1 NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    claimed_until timestamp with time zone,
    finished_at timestamp with time zone,
    previous_plan text,
    CONSTRAINT change_requests_kind_check CHECK ((kind = ANY (ARRAY['change_plan'::text, 'cancel'::text, 'keep'::text, 'undo_change'::text]))),
    CONSTRAINT change_requests_state_check CHECK ((state = ANY (ARRAY['started'::text, 'unknown'::text, 'done'::text, 'refused'::text])))
);

ALTER TABLE ONLY public.change_requests FORCE ROW LEVEL SECURITY;

CREATE TABLE public.configuration_drafts (
    tenant_id uuid NOT NULL,
    document jsonb NOT NULL,
    based_on integer NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_by text NOT NULL
);

ALTER TABLE ONLY public.configuration_drafts FORCE ROW LEVEL SECURITY;

CREATE TABLE public.configurations (
    tenant_id uuid NOT NULL,
    version integer NOT NULL,
    document jsonb NOT NULL,
    published_at timestamp with time zone DEFAULT now() NOT NULL,
    published_by text NOT NULL,
    reason text DEFAULT ''::text NOT NULL,
    CONSTRAINT configurations_version_check CHECK ((version > 0))
);

ALTER TABLE ONLY public.configurations FORCE ROW LEVEL SECURITY;

CREATE TABLE public.customers (
    tenant_id uuid NOT NULL,
    id text NOT NULL,
    email text,
    name text,
    currency text,
    default_payment_method_id text,
    deleted boolean DEFAULT false NOT NULL,
    created_at timestamp with time zone NOT NULL,
    copy_no bigint NOT NULL,
    phone text,
    address jsonb,
    shipping jsonb,
    tax_ids jsonb DEFAULT '[]'::jsonb NOT NULL,
    tax_exempt text DEFAULT 'none'::text NOT NULL,
    preferred_locales text[] DEFAULT '{}'::text[] NOT NULL,
    balance bigint DEFAULT 0 NOT NULL,
    fallback_payment_method_ids text[] DEFAULT '{}'::text[] NOT NULL,
    test_clock_id text,
    sought_email text GENERATED ALWAYS AS ("left"(lower(email), 200)) STORED COLLATE pg_catalog."C",
    sought_name text GENERATED ALWAYS AS ("left"(lower(name), 200)) STORED COLLATE pg_catalog."C",
    CONSTRAINT customers_tax_exempt_check CHECK ((tax_exempt = ANY (ARRAY['none'::text, 'exempt'::text, 'reverse'::text])))
);

ALTER TABLE ONLY public.customers FORCE ROW LEVEL SECURITY;

CREATE SEQUENCE public.directory_changes
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE public.dunning_attempts (
    tenant_id uuid NOT NULL,
    invoice_id text NOT NULL,
    number smallint NOT NULL,
    initiator text NOT NULL,
    idempotency_key text NOT NULL,
    payment_method_id text,
    network text,
    fingerprint text,
    reasons jsonb DEFAULT '[]'::jsonb NOT NULL,
    planned_at timestamp with time zone,
    started_at timestamp with time zone NOT NULL,
    sent_at timestamp with time zone DEFAULT now() NOT NULL,
    state text NOT NULL,
    decline_class text,
    decline_code text,
    advice_code text,
    network_decline_code text,
    network_advice_code text,
    charge_id text,
    payment_intent_id text,
    request_id text,
    finished_at timestamp with time zone,
    looked_at timestamp with time zone,
    CONSTRAINT dunning_attempts_decline_class_check CHECK ((decline_class = ANY (ARRAY['never'::text, 'new_card'::text, 'authenticate'::text, 'later'::text, 'now'::text]))),
    CONSTRAINT dunning_attempts_initiator_check CHECK ((initiator = ANY (ARRAY['merchant'::text, 'customer'::text]))),
    CONSTRAINT dunning_attempts_number_check CHECK ((number > 0)),
    CONSTRAINT dunning_attempts_state_check CHECK ((state = ANY (ARRAY['started'::text, 'unknown'::text, 'succeeded'::text, 'declined'::text, 'needs_authentication'::text, 'refused'::text, 'not_made'::text])))
);

ALTER TABLE ONLY public.dunning_attempts FORCE ROW LEVEL SECURITY;

CREATE TABLE public.dunning_cases (
    tenant_id uuid NOT NULL,
    invoice_id text NOT NULL,
    customer_id text NOT NULL,
    subscription_id text,
    test_clock_id text,
    state text NOT NULL,
    opened_at timestamp with time zone NOT NULL,
    closed_at timestamp with time zone,
    next_attempt_at timestamp with time zone,
    due_at timestamp with time zone,
    wake_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone,
    looks smallint DEFAULT 0 NOT NULL,
    decision jsonb,
    policy_version integer,
    taken boolean DEFAULT false,
    access text DEFAULT 'grace'::text NOT NULL,
    held_up interval DEFAULT '00:00:00'::interval NOT NULL,
    paused_collection boolean DEFAULT false NOT NULL,
    asked_for text,
    asked_at timestamp with time zone,
    CONSTRAINT dunning_cases_access_check CHECK ((access = ANY (ARRAY['ok'::text, 'grace'::text, 'restricted'::text, 'blocked'::text]))),
    CONSTRAINT dunning_cases_asked CHECK (((asked_for IS NULL) = (asked_at IS NULL))),
    CONSTRAINT dunning_cases_asked_for_check CHECK ((asked_for = ANY (ARRAY['retry'::text, 'stop'::text, 'end'::text]))),
    CONSTRAINT dunning_cases_check CHECK (((closed_at IS NULL) = (state = ANY (ARRAY['waiting'::text, 'asking'::text, 'provider'::text, 'attempting'::text, 'unknown'::text])))),
    CONSTRAINT dunning_cases_check1 CHECK (((closed_at IS NULL) = (wake_at IS NOT NULL))),
    CONSTRAINT dunning_cases_state_check CHECK ((state = ANY (ARRAY['waiting'::text, 'asking'::text, 'provider'::text, 'attempting'::text, 'unknown'::text, 'recovered'::text, 'given_up'::text, 'voided'::text, 'paid_elsewhere'::text])))
);

ALTER TABLE ONLY public.dunning_cases FORCE ROW LEVEL SECURITY;

CREATE TABLE public.invoice_payments (
    tenant_id uuid NOT NULL,
    invoice_id text NOT NULL,
    id text NOT NULL,
    "position" integer NOT NULL,
    payment_intent_id text,
    status text NOT NULL,
    amount_requested bigint NOT NULL,
    amount_paid bigint,
    is_default boolean NOT NULL,
    paid_at timestamp with time zone,
    CONSTRAINT invoice_payments_status_check CHECK ((status = ANY (ARRAY['open'::text, 'paid'::text, 'canceled'::text])))
);

ALTER TABLE ONLY public.invoice_payments FORCE ROW LEVEL SECURITY;

CREATE TABLE public.invoices (
    tenant_id uuid NOT NULL,
    id text NOT NULL,
    customer_id text NOT NULL,
    subscription_id text,
    number text,
    status text NOT NULL,
    currency text NOT NULL,
    total bigint NOT NULL,
    amount_paid bigint NOT NULL,
    amount_remaining bigint NOT NULL,
    attempt_count integer NOT NULL,
    next_payment_attempt_at timestamp with time zone,
    due_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    copy_no bigint NOT NULL,
    billing_reason text,
    collection_method text DEFAULT 'charge_automatically'::text NOT NULL,
    subtotal bigint DEFAULT 0 NOT NULL,
    amount_due bigint DEFAULT 0 NOT NULL,
    period_start_at timestamp with time zone DEFAULT '1970-01-01 00:00:00+00'::timestamp with time zone NOT NULL,
    period_end_at timestamp with time zone DEFAULT '1970-01-01 00:00:00+00'::timestamp with time zone NOT NULL,
    finalized_at timestamp with time zone,
    paid_at timestamp with time zone,
    voided_at timestamp with time zone,
    CONSTRAINT invoices_collection_method_check CHECK ((collection_method = ANY (ARRAY['charge_automatically'::text, 'send_invoice'::text]))),
    CONSTRAINT invoices_status_check CHECK ((status = ANY (ARRAY['draft'::text, 'open'::text, 'paid'::text, 'uncollectible'::text, 'void'::text])))
);

ALTER TABLE ONLY public.invoices FORCE ROW LEVEL SECURITY;

CREATE TABLE public.payment_attempts (
    tenant_id uuid NOT NULL,
    id text NOT NULL,
    customer_id text,
    payment_intent_id text,
    payment_method_id text,
    status text NOT NULL,
    currency text NOT NULL,
    amount bigint NOT NULL,
    amount_refunded bigint NOT NULL,
    failure_code text,
    decline_code text,
    advice_code text,
    network_decline_code text,
    network_advice_code text,
    network text,
    fingerprint text,
    created_at timestamp with time zone NOT NULL,
    copy_no bigint NOT NULL,
    CONSTRAINT payment_attempts_status_check CHECK ((status = ANY (ARRAY['succeeded'::text, 'pending'::text, 'failed'::text])))
);

ALTER TABLE ONLY public.payment_attempts FORCE ROW LEVEL SECURITY;

CREATE TABLE public.payment_methods (
    tenant_id uuid NOT NULL,
    id text NOT NULL,
    customer_id text,
    type text NOT NULL,
    brand text,
    last4 text,
    exp_month smallint,
    exp_year smallint,
    created_at timestamp with time zone NOT NULL,
    copy_no bigint NOT NULL,
    country text,
    funding text,
    fingerprint text,
    CONSTRAINT payment_methods_funding_check CHECK ((funding = ANY (ARRAY['credit'::text, 'debit'::text, 'prepaid'::text, 'unknown'::text])))
);

ALTER TABLE ONLY public.payment_methods FORCE ROW LEVEL SECURITY;

CREATE VIEW public.failed_payment_documents WITH (security_invoker='true') AS
 SELECT invoice.tenant_id,
    invoice.id,
    invoice.customer_id,
    invoice.subscription_id,
    invoice.created_at,
    json_build_object('invoice_id', invoice.id, 'subscription_id', invoice.subscription_id, 'number', invoice.number, 'amount', json_build_object('amount', invoice.amount_remaining, 'currency', invoice.currency), 'state', followed.state, 'next_attempt_at',
        CASE
            WHEN ((followed.state IS NULL) OR (followed.state = 'provider'::text)) THEN invoice.next_payment_attempt_at
            ELSE followed.next_attempt_at
        END, 'asks_for', (followed.decision ->> 'asks_for'::text), 'access', followed.access, 'access_changes_at', (followed.decision ->> 'access_changes_at'::text), 'failure', ( SELECT json_build_object('at', attempt.created_at, 'failure_code', attempt.failure_code, 'decline_code', attempt.decline_code, 'advice_code', attempt.advice_code, 'network', attempt.network, 'network_decline_code', attempt.network_decline_code, 'network_advice_code', attempt.network_advice_code, 'payment_method_id', attempt.payment_method_id, 'brand', method.brand, 'last4', method.last4) AS json_build_object
           FROM ((public.invoice_payments payment
             JOIN public.payment_attempts attempt ON (((attempt.tenant_id = payment.tenant_id) AND (attempt.payment_intent_id = payment.payment_intent_id) AND (attempt.status = 'failed'::text))))
             LEFT JOIN public.payment_methods method ON (((method.tenant_id = attempt.tenant_id) AND (method.id = attempt.payment_method_id))))
          WHERE ((payment.tenant_id = invoice.tenant_id) AND (payment.invoice_id = invoice.id))
          ORDER BY attempt.created_at DESC, attempt.id DESC
         LIMIT 1)) AS document
   FROM (public.invoices invoice
     LEFT JOIN public.dunning_cases followed ON (((followed.tenant_id = invoice.tenant_id) AND (followed.invoice_id = invoice.id))))
  WHERE ((invoice.status = 'open'::text) AND (invoice.attempt_count > 0) AND (invoice.amount_remaining > 0) AND (invoice.collection_method = 'charge_automatically'::text));

CREATE TABLE public.former_accounts (
    tenant_id uuid NOT NULL,
    account_id text NOT NULL,
    mode text NOT NULL,
    account_name text,
    endpoint_id text,
    url text,
    left_at timestamp with time zone DEFAULT now() NOT NULL,
    due_at timestamp with time zone DEFAULT now(),
    CONSTRAINT former_accounts_mode_check CHECK ((mode = ANY (ARRAY['test'::text, 'live'::text])))
);

ALTER TABLE ONLY public.former_accounts FORCE ROW LEVEL SECURITY;

CREATE TABLE public.hosts (
    tenant_id uuid NOT NULL,
    host text NOT NULL,
    verified_at timestamp with time zone,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    proved_by_dns boolean DEFAULT false NOT NULL,
    checked_at timestamp with time zone,
    proof_seen boolean,
    leads_here boolean,
    missing_since timestamp with time zone,
    lost_at timestamp with time zone,
    CONSTRAINT hosts_host_check CHECK (((host = lower(host)) AND (length(host) <= 253)))
);

ALTER TABLE ONLY public.hosts FORCE ROW LEVEL SECURITY;

CREATE TABLE public.identities (
    tenant_id uuid NOT NULL,
    provider text NOT NULL,
    subject text NOT NULL,
    customer_id text NOT NULL,
    email text,
    linked_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.identities FORCE ROW LEVEL SECURITY;

CREATE TABLE public.identity_provider_secrets (
    tenant_id uuid NOT NULL,
    provider text NOT NULL,
    issuer text NOT NULL,
    set_at timestamp with time zone DEFAULT now() NOT NULL,
    set_by text NOT NULL
);

ALTER TABLE ONLY public.identity_provider_secrets FORCE ROW LEVEL SECURITY;

CREATE TABLE public.imports (
    tenant_id uuid NOT NULL,
    copy_no bigint NOT NULL,
    edition smallint NOT NULL,
    started_at timestamp with time zone DEFAULT now() NOT NULL,
    step text NOT NULL,
    after text,
    counts jsonb DEFAULT '{}'::jsonb NOT NULL,
    holder uuid,
    held_until timestamp with time zone,
    finished_at timestamp with time zone,
    CONSTRAINT imports_step_check CHECK ((step = ANY (ARRAY['products'::text, 'prices'::text, 'customers'::text, 'subscriptions'::text, 'invoices'::text, 'attempts'::text, 'unlisted'::text])))
);

ALTER TABLE ONLY public.imports FORCE ROW LEVEL SECURITY;

CREATE VIEW public.invoice_documents WITH (security_invoker='true') AS
 SELECT tenant_id,
    id,
    customer_id,
    status,
    created_at,
    json_build_object('id', id, 'customer_id', customer_id, 'subscription_id', subscription_id, 'number', number, 'status', status, 'total', json_build_object('amount', total, 'currency', currency), 'remaining', json_build_object('amount', amount_remaining, 'currency', currency), 'attempt_count', attempt_count, 'next_payment_attempt_at', next_payment_attempt_at, 'created_at', created_at) AS document
   FROM public.invoices invoice;

CREATE TABLE public.invoice_lines (
    tenant_id uuid NOT NULL,
    invoice_id text NOT NULL,
    id text NOT NULL,
    "position" integer NOT NULL,
    description text,
    amount bigint NOT NULL,
    quantity bigint,
    price_id text,
    subscription_item_id text,
    period_start_at timestamp with time zone NOT NULL,
    period_end_at timestamp with time zone NOT NULL,
    proration boolean NOT NULL
);

ALTER TABLE ONLY public.invoice_lines FORCE ROW LEVEL SECURITY;

CREATE TABLE public.mail_preferences (
    tenant_id uuid NOT NULL,
    customer_id text NOT NULL,
    kind text NOT NULL,
    wanted boolean NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    source text NOT NULL
);

ALTER TABLE ONLY public.mail_preferences FORCE ROW LEVEL SECURITY;

CREATE TABLE public.messages (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    kind text NOT NULL,
    customer_id text NOT NULL,
    recipient text,
    key text NOT NULL,
    facts jsonb DEFAULT '{}'::jsonb NOT NULL,
    at timestamp with time zone NOT NULL,
    state text NOT NULL,
    reason text,
    tries smallint DEFAULT 0 NOT NULL,
    queued_at timestamp with time zone DEFAULT now() NOT NULL,
    due_at timestamp with time zone DEFAULT now(),
    sent_at timestamp with time zone,
    erased_at timestamp with time zone,
    CONSTRAINT messages_check CHECK (((due_at IS NOT NULL) = (state = ANY (ARRAY['queued'::text, 'sending'::text])))),
    CONSTRAINT messages_kind_check CHECK ((kind = ANY (ARRAY['payment_failed'::text, 'action_needed'::text, 'card_expiring'::text, 'recovered'::text, 'given_up'::text, 'renewal_coming'::text, 'trial_ending'::text, 'receipt'::text, 'plan_changed'::text, 'cancelled'::text]))),
    CONSTRAINT messages_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'sending'::text, 'sent'::text, 'failed'::text, 'suppressed'::text])))
);

ALTER TABLE ONLY public.messages FORCE ROW LEVEL SECURITY;

CREATE SEQUENCE public.mirror_copies
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1;

CREATE TABLE public.mirror_news (
    tenant_id uuid NOT NULL,
    id bigint NOT NULL,
    kind text NOT NULL,
    object_id text NOT NULL,
    was jsonb,
    noted_at timestamp with time zone DEFAULT now() NOT NULL,
    set_aside_at timestamp with time zone,
    failure text,
    CONSTRAINT mirror_news_check CHECK (((set_aside_at IS NULL) = (failure IS NULL))),
    CONSTRAINT mirror_news_kind_check CHECK ((kind = ANY (ARRAY['attempt'::text, 'customer'::text, 'invoice'::text, 'payment_method'::text, 'subscription'::text, 'test_clock'::text])))
);

ALTER TABLE ONLY public.mirror_news FORCE ROW LEVEL SECURITY;

ALTER TABLE public.mirror_news ALTER COLUMN id ADD GENERATED ALWAYS AS IDENTITY (
    SEQUENCE NAME public.mirror_news_id_seq
    START WITH 1
    INCREMENT BY 1
    NO MINVALUE
    NO MAXVALUE
    CACHE 1
);

CREATE TABLE public.payment_method_leases (
    tenant_id uuid NOT NULL,
    customer_id text NOT NULL,
    held_until timestamp with time zone NOT NULL
);

ALTER TABLE ONLY public.payment_method_leases FORCE ROW LEVEL SECURITY;

CREATE TABLE public.preferences (
    tenant_id uuid NOT NULL,
    customer_id text NOT NULL,
    locale text,
    changed_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.preferences FORCE ROW LEVEL SECURITY;

CREATE TABLE public.preview_links (
    tenant_id uuid NOT NULL,
    staff_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY public.preview_links FORCE ROW LEVEL SECURITY;

CREATE TABLE public.prices (
    tenant_id uuid NOT NULL,
    id text NOT NULL,
    product_id text NOT NULL,
    currency text NOT NULL,
    unit_amount bigint,
    "interval" text,
    interval_count integer,
    active boolean NOT NULL,
    copy_no bigint NOT NULL,
    unit_amount_exact numeric,
    usage text,
    tiers_mode text,
    tiers jsonb DEFAULT '[]'::jsonb NOT NULL,
    package_size integer,
    package_round text,
    currency_options jsonb DEFAULT '[]'::jsonb NOT NULL,
    nickname text,
    lookup_key text,
    CONSTRAINT prices_interval_check CHECK (("interval" = ANY (ARRAY['day'::text, 'week'::text, 'month'::text, 'year'::text]))),
    CONSTRAINT prices_package_round_check CHECK ((package_round = ANY (ARRAY['up'::text, 'down'::text]))),
    CONSTRAINT prices_tiers_mode_check CHECK ((tiers_mode = ANY (ARRAY['graduated'::text, 'volume'::text]))),
    CONSTRAINT prices_usage_check CHECK ((usage = ANY (ARRAY['licensed'::text, 'metered'::text])))
);

ALTER TABLE ONLY public.prices FORCE ROW LEVEL SECURITY;

CREATE TABLE public.products (
    tenant_id uuid NOT NULL,
    id text NOT NULL,
    name text NOT NULL,
    description text,
    active boolean NOT NULL,
    copy_no bigint NOT NULL,
    unit_label text,
    default_price_id text
);

ALTER TABLE ONLY public.products FORCE ROW LEVEL SECURITY;

CREATE VIEW public.price_documents WITH (security_invoker='true') AS
 SELECT price.tenant_id,
    price.id,
    json_build_object('id', price.id, 'product_id', price.product_id, 'product', COALESCE(product.name, price.product_id), 'amount',
        CASE
            WHEN (price.unit_amount IS NOT NULL) THEN json_build_object('amount', price.unit_amount, 'currency', price.currency)
            ELSE NULL::json
        END, 'currency', price.currency, 'interval', price."interval", 'interval_count', price.interval_count, 'active', (price.active AND COALESCE(product.active, true))) AS document
   FROM (public.prices price
     LEFT JOIN public.products product ON (((product.tenant_id = price.tenant_id) AND (product.id = price.product_id))));

CREATE TABLE public.provider_accounts (
    tenant_id uuid NOT NULL,
    key_set_at timestamp with time zone NOT NULL,
    mode text NOT NULL,
    key_end text NOT NULL,
    account_id text NOT NULL,
    account_name text,
    set_by text NOT NULL,
    CONSTRAINT provider_accounts_key_end_check CHECK ((length(key_end) = 4)),
    CONSTRAINT provider_accounts_mode_check CHECK ((mode = ANY (ARRAY['test'::text, 'live'::text])))
);

ALTER TABLE ONLY public.provider_accounts FORCE ROW LEVEL SECURITY;

CREATE TABLE public.provider_connections (
    tenant_id uuid NOT NULL,
    key_set_at timestamp with time zone,
    rejected_at timestamp with time zone,
    reason text,
    refused text,
    checked_at timestamp with time zone DEFAULT now() NOT NULL,
    stopped boolean GENERATED ALWAYS AS (((rejected_at IS NOT NULL) AND (reason <> 'may_not_act'::text))) STORED NOT NULL,
    CONSTRAINT provider_connections_check CHECK (((rejected_at IS NULL) = (reason IS NULL))),
    CONSTRAINT provider_connections_reason_check CHECK ((reason = ANY (ARRAY['key_missing'::text, 'key_sealed'::text, 'key_revoked'::text, 'may_not_mirror'::text, 'may_not_act'::text])))
);

ALTER TABLE ONLY public.provider_connections FORCE ROW LEVEL SECURITY;

CREATE TABLE public.provider_endpoints (
    tenant_id uuid NOT NULL,
    endpoint_id text,
    url text,
    made_at timestamp with time zone,
    order_key uuid,
    ordered_at timestamp with time zone,
    former_until timestamp with time zone,
    due_at timestamp with time zone,
    CONSTRAINT provider_endpoints_check CHECK (((order_key IS NULL) = (ordered_at IS NULL))),
    CONSTRAINT provider_endpoints_check1 CHECK (((endpoint_id IS NULL) = (made_at IS NULL)))
);

ALTER TABLE ONLY public.provider_endpoints FORCE ROW LEVEL SECURITY;

CREATE TABLE public.provider_events (
    tenant_id uuid NOT NULL,
    id text NOT NULL,
    type text NOT NULL,
    object_id text,
    created_at timestamp with time zone NOT NULL,
    received_at timestamp with time zone DEFAULT now() NOT NULL,
    body bytea,
    handled_at timestamp with time zone,
    claimed_until timestamp with time zone,
    tries smallint DEFAULT 0 NOT NULL,
    failure text
);

ALTER TABLE ONLY public.provider_events FORCE ROW LEVEL SECURITY;

CREATE TABLE public.reconciliations (
    tenant_id uuid NOT NULL,
    read_until timestamp with time zone NOT NULL,
    checked_at timestamp with time zone NOT NULL,
    failure text
);

ALTER TABLE ONLY public.reconciliations FORCE ROW LEVEL SECURITY;

CREATE TABLE public.secrets (
    tenant_id uuid NOT NULL,
    name text NOT NULL,
    sealed bytea NOT NULL,
    wrapped_key bytea NOT NULL,
    master_key_id text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT secrets_name_check CHECK (((length(name) >= 1) AND (length(name) <= 100)))
);

ALTER TABLE ONLY public.secrets FORCE ROW LEVEL SECURITY;

CREATE TABLE public.sessions (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    token_hash bytea NOT NULL,
    customer_id text NOT NULL,
    provider text NOT NULL,
    device text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone
);

ALTER TABLE ONLY public.sessions FORCE ROW LEVEL SECURITY;

CREATE TABLE public.sign_in_attempts (
    tenant_id uuid NOT NULL,
    state_hash bytea NOT NULL,
    browser_hash bytea NOT NULL,
    provider text NOT NULL,
    nonce text NOT NULL,
    code_verifier text NOT NULL,
    next_path text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY public.sign_in_attempts FORCE ROW LEVEL SECURITY;

CREATE TABLE public.staff (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    email text NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    locale text,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    CONSTRAINT staff_email_check CHECK ((((length(email) >= 3) AND (length(email) <= 254)) AND (email = lower(email)))),
    CONSTRAINT staff_locale_check CHECK ((length(locale) <= 10)),
    CONSTRAINT staff_name_check CHECK ((length(name) <= 200))
);

ALTER TABLE ONLY public.staff FORCE ROW LEVEL SECURITY;

CREATE TABLE public.staff_identities (
    issuer text NOT NULL,
    subject text NOT NULL,
    staff_id uuid NOT NULL,
    linked_at timestamp with time zone DEFAULT now() NOT NULL
);

ALTER TABLE ONLY public.staff_identities FORCE ROW LEVEL SECURITY;

CREATE TABLE public.staff_links (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    staff_id uuid NOT NULL,
    next_path text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    used_at timestamp with time zone
);

ALTER TABLE ONLY public.staff_links FORCE ROW LEVEL SECURITY;

CREATE TABLE public.staff_messages (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    kind text NOT NULL,
    recipient text NOT NULL,
    locale text NOT NULL,
    facts jsonb NOT NULL,
    state text DEFAULT 'queued'::text NOT NULL,
    reason text,
    tries smallint DEFAULT 0 NOT NULL,
    queued_at timestamp with time zone DEFAULT now() NOT NULL,
    due_at timestamp with time zone DEFAULT now(),
    ended_at timestamp with time zone,
    CONSTRAINT staff_messages_kind_check CHECK ((kind = ANY (ARRAY['sign_in'::text, 'agency_invitation'::text, 'tenant_invitation'::text, 'test_mail'::text]))),
    CONSTRAINT staff_messages_state_check CHECK ((state = ANY (ARRAY['queued'::text, 'sending'::text, 'sent'::text, 'failed'::text])))
);

ALTER TABLE ONLY public.staff_messages FORCE ROW LEVEL SECURITY;

CREATE TABLE public.staff_sessions (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    token_hash bytea NOT NULL,
    staff_id uuid NOT NULL,
    provider text NOT NULL,
    device text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    seen_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    revoked_at timestamp with time zone
);

ALTER TABLE ONLY public.staff_sessions FORCE ROW LEVEL SECURITY;

CREATE TABLE public.staff_sign_in_attempts (
    state_hash bytea NOT NULL,
    browser_hash bytea NOT NULL,
    nonce text NOT NULL,
    code_verifier text NOT NULL,
    next_path text NOT NULL,
    expires_at timestamp with time zone NOT NULL
);

ALTER TABLE ONLY public.staff_sign_in_attempts FORCE ROW LEVEL SECURITY;

CREATE TABLE public.subscription_items (
    tenant_id uuid NOT NULL,
    subscription_id text NOT NULL,
    id text NOT NULL,
    "position" smallint NOT NULL,
    price_id text NOT NULL,
    quantity integer
);

ALTER TABLE ONLY public.subscription_items FORCE ROW LEVEL SECURITY;

CREATE TABLE public.subscriptions (
    tenant_id uuid NOT NULL,
    id text NOT NULL,
    customer_id text NOT NULL,
    status text NOT NULL,
    currency text NOT NULL,
    default_payment_method_id text,
    cancel_at_period_end boolean NOT NULL,
    cancel_at timestamp with time zone,
    canceled_at timestamp with time zone,
    ended_at timestamp with time zone,
    trial_end_at timestamp with time zone,
    current_period_start_at timestamp with time zone,
    current_period_end_at timestamp with time zone,
    schedule_id text,
    pending_price_id text,
    pending_quantity integer,
    pending_at timestamp with time zone,
    created_at timestamp with time zone NOT NULL,
    copy_no bigint NOT NULL,
    collection_method text DEFAULT 'charge_automatically'::text NOT NULL,
    cancellation_feedback text,
    cancellation_comment text,
    latest_invoice_id text,
    schedule_is_ours boolean DEFAULT false NOT NULL,
    pending_update jsonb,
    pause jsonb,
    discounts jsonb DEFAULT '[]'::jsonb NOT NULL,
    access text DEFAULT 'ok'::text NOT NULL,
    CONSTRAINT subscriptions_access_check CHECK ((access = ANY (ARRAY['ok'::text, 'grace'::text, 'restricted'::text, 'blocked'::text]))),
    CONSTRAINT subscriptions_collection_method_check CHECK ((collection_method = ANY (ARRAY['charge_automatically'::text, 'send_invoice'::text]))),
    CONSTRAINT subscriptions_status_check CHECK ((status = ANY (ARRAY['incomplete'::text, 'incomplete_expired'::text, 'trialing'::text, 'active'::text, 'past_due'::text, 'canceled'::text, 'unpaid'::text, 'paused'::text])))
);

ALTER TABLE ONLY public.subscriptions FORCE ROW LEVEL SECURITY;

CREATE VIEW public.subscription_documents WITH (security_invoker='true') AS
 SELECT tenant_id,
    id,
    customer_id,
    status,
    created_at,
    json_build_object('id', id, 'customer_id', customer_id, 'status', status, 'currency', currency, 'cancel_at_period_end', cancel_at_period_end, 'cancel_at', cancel_at, 'canceled_at', canceled_at, 'ended_at', ended_at, 'trial_end_at', trial_end_at, 'current_period_start_at', current_period_start_at, 'current_period_end_at', current_period_end_at, 'created_at', created_at, 'schedule_id', schedule_id, 'default_payment_method_id', default_payment_method_id, 'pending',
        CASE
            WHEN (pending_at IS NOT NULL) THEN json_build_object('at', pending_at, 'quantity', pending_quantity, 'price', ( SELECT pending.document
               FROM public.price_documents pending
              WHERE ((pending.tenant_id = subscription.tenant_id) AND (pending.id = subscription.pending_price_id))))
            ELSE NULL::json
        END, 'unfinished_change', (EXISTS ( SELECT
           FROM public.change_requests request
          WHERE ((request.tenant_id = subscription.tenant_id) AND (request.subscription_id = subscription.id) AND (request.state = ANY (ARRAY['started'::text, 'unknown'::text]))))), 'items', ( SELECT COALESCE(json_agg(json_build_object('id', item.id, 'quantity', item.quantity, 'price', price.document) ORDER BY item."position"), '[]'::json) AS "coalesce"
           FROM (public.subscription_items item
             LEFT JOIN public.price_documents price ON (((price.tenant_id = item.tenant_id) AND (price.id = item.price_id))))
          WHERE ((item.tenant_id = subscription.tenant_id) AND (item.subscription_id = subscription.id))), 'schedule_is_ours', schedule_is_ours, 'pause', pause, 'pending_update', pending_update, 'access', access) AS document
   FROM public.subscriptions subscription;

CREATE TABLE public.support_views (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    customer_id text NOT NULL,
    staff_id uuid NOT NULL,
    staff_email text NOT NULL,
    staff_name text NOT NULL,
    session_id uuid NOT NULL,
    link_hash bytea NOT NULL,
    token_hash bytea,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    ended_at timestamp with time zone
);

ALTER TABLE ONLY public.support_views FORCE ROW LEVEL SECURITY;

CREATE TABLE public.tenant_figures (
    tenant_id uuid NOT NULL,
    agency_id uuid NOT NULL,
    due_at timestamp with time zone DEFAULT now() NOT NULL,
    begun_at timestamp with time zone,
    rest interval DEFAULT '00:01:00'::interval NOT NULL,
    history_due_at timestamp with time zone DEFAULT '-infinity'::timestamp with time zone NOT NULL,
    computed_at timestamp with time zone,
    customers integer DEFAULT 0 NOT NULL,
    active integer DEFAULT 0 NOT NULL,
    trialing integer DEFAULT 0 NOT NULL,
    past_due integer DEFAULT 0 NOT NULL,
    started integer DEFAULT 0 NOT NULL,
    ended integer DEFAULT 0 NOT NULL,
    failed integer DEFAULT 0 NOT NULL,
    recovered integer DEFAULT 0 NOT NULL,
    mrr jsonb DEFAULT '{}'::jsonb NOT NULL,
    health jsonb DEFAULT '{}'::jsonb NOT NULL,
    past_months jsonb DEFAULT '[]'::jsonb NOT NULL,
    present_month jsonb DEFAULT '{}'::jsonb NOT NULL
);

ALTER TABLE ONLY public.tenant_figures FORCE ROW LEVEL SECURITY;

CREATE TABLE public.tenant_invitations (
    tenant_id uuid NOT NULL,
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    email text NOT NULL,
    role text NOT NULL,
    invited_by text NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    expires_at timestamp with time zone NOT NULL,
    accepted_at timestamp with time zone,
    revoked_at timestamp with time zone,
    CONSTRAINT tenant_invitations_email_check CHECK ((((length(email) >= 3) AND (length(email) <= 254)) AND (email = lower(email)))),
    CONSTRAINT tenant_invitations_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'support'::text, 'analyst'::text])))
);

ALTER TABLE ONLY public.tenant_invitations FORCE ROW LEVEL SECURITY;

CREATE TABLE public.tenant_members (
    tenant_id uuid NOT NULL,
    staff_id uuid NOT NULL,
    email text NOT NULL,
    name text DEFAULT ''::text NOT NULL,
    role text NOT NULL,
    added_at timestamp with time zone DEFAULT now() NOT NULL,
    added_by text NOT NULL,
    CONSTRAINT tenant_members_role_check CHECK ((role = ANY (ARRAY['owner'::text, 'admin'::text, 'support'::text, 'analyst'::text])))
);

ALTER TABLE ONLY public.tenant_members FORCE ROW LEVEL SECURITY;

CREATE TABLE public.tenants (
    id uuid DEFAULT gen_random_uuid() NOT NULL,
    agency_id uuid NOT NULL,
    slug text NOT NULL,
    name text NOT NULL,
    status text DEFAULT 'active'::text NOT NULL,
    published_version integer,
    change_no bigint DEFAULT public.next_directory_change() NOT NULL,
    created_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_at timestamp with time zone DEFAULT now() NOT NULL,
    changed_in xid8 DEFAULT pg_current_xact_id() NOT NULL,
    CONSTRAINT tenants_name_check CHECK (((length(name) >= 1) AND (length(name) <= 200))),
    CONSTRAINT tenants_slug_check CHECK ((slug ~ '^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$'::text)),
    CONSTRAINT tenants_status_check CHECK ((status = ANY (ARRAY['active'::text, 'suspended'::text])))
);

ALTER TABLE ONLY public.tenants FORCE ROW LEVEL SECURITY;

CREATE TABLE public.test_clocks (
    tenant_id uuid NOT NULL,
    id text NOT NULL,
    frozen_at timestamp with time zone NOT NULL,
    copy_no bigint NOT NULL
);

ALTER TABLE ONLY public.test_clocks FORCE ROW LEVEL SECURITY;

ALTER TABLE ONLY public.agencies
    ADD CONSTRAINT agencies_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.agencies
    ADD CONSTRAINT agencies_slug_key UNIQUE (slug);

ALTER TABLE ONLY public.agency_audit_log
    ADD CONSTRAINT agency_audit_log_pkey PRIMARY KEY (agency_id, id);

ALTER TABLE ONLY public.agency_invitations
    ADD CONSTRAINT agency_invitations_pkey PRIMARY KEY (agency_id, id);

ALTER TABLE ONLY public.agency_members
    ADD CONSTRAINT agency_members_pkey PRIMARY KEY (agency_id, staff_id);

ALTER TABLE ONLY public.assets
    ADD CONSTRAINT assets_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.audit_log
    ADD CONSTRAINT audit_log_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.book_checks
    ADD CONSTRAINT book_checks_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY public.book_differences
    ADD CONSTRAINT book_differences_pkey PRIMARY KEY (tenant_id, rule, kind, id);

ALTER TABLE ONLY public.card_pages
    ADD CONSTRAINT card_pages_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.change_requests
    ADD CONSTRAINT change_requests_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.configuration_drafts
    ADD CONSTRAINT configuration_drafts_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY public.configurations
    ADD CONSTRAINT configurations_pkey PRIMARY KEY (tenant_id, version);

ALTER TABLE ONLY public.customers
    ADD CONSTRAINT customers_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.dunning_attempts
    ADD CONSTRAINT dunning_attempts_pkey PRIMARY KEY (tenant_id, invoice_id, number);

ALTER TABLE ONLY public.dunning_attempts
    ADD CONSTRAINT dunning_attempts_tenant_id_idempotency_key_key UNIQUE (tenant_id, idempotency_key);

ALTER TABLE ONLY public.dunning_cases
    ADD CONSTRAINT dunning_cases_pkey PRIMARY KEY (tenant_id, invoice_id);

ALTER TABLE ONLY public.former_accounts
    ADD CONSTRAINT former_accounts_pkey PRIMARY KEY (tenant_id, account_id, mode);

ALTER TABLE ONLY public.hosts
    ADD CONSTRAINT hosts_pkey PRIMARY KEY (tenant_id, host);

ALTER TABLE ONLY public.identities
    ADD CONSTRAINT identities_pkey PRIMARY KEY (tenant_id, provider, subject);

ALTER TABLE ONLY public.identity_provider_secrets
    ADD CONSTRAINT identity_provider_secrets_pkey PRIMARY KEY (tenant_id, provider);

ALTER TABLE ONLY public.imports
    ADD CONSTRAINT imports_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY public.invoice_lines
    ADD CONSTRAINT invoice_lines_pkey PRIMARY KEY (tenant_id, invoice_id, id);

ALTER TABLE ONLY public.invoice_payments
    ADD CONSTRAINT invoice_payments_pkey PRIMARY KEY (tenant_id, invoice_id, id);

ALTER TABLE ONLY public.invoices
    ADD CONSTRAINT invoices_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.mail_preferences
    ADD CONSTRAINT mail_preferences_pkey PRIMARY KEY (tenant_id, customer_id, kind);

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_tenant_id_key_key UNIQUE (tenant_id, key);

ALTER TABLE ONLY public.mirror_news
    ADD CONSTRAINT mirror_news_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.payment_attempts
    ADD CONSTRAINT payment_attempts_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.payment_method_leases
    ADD CONSTRAINT payment_method_leases_pkey PRIMARY KEY (tenant_id, customer_id);

ALTER TABLE ONLY public.payment_methods
    ADD CONSTRAINT payment_methods_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.preferences
    ADD CONSTRAINT preferences_pkey PRIMARY KEY (tenant_id, customer_id);

ALTER TABLE ONLY public.preview_links
    ADD CONSTRAINT preview_links_pkey PRIMARY KEY (tenant_id, staff_id);

ALTER TABLE ONLY public.preview_links
    ADD CONSTRAINT preview_links_tenant_id_id_key UNIQUE (tenant_id, id);

ALTER TABLE ONLY public.prices
    ADD CONSTRAINT prices_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.products
    ADD CONSTRAINT products_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.provider_accounts
    ADD CONSTRAINT provider_accounts_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY public.provider_connections
    ADD CONSTRAINT provider_connections_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY public.provider_endpoints
    ADD CONSTRAINT provider_endpoints_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY public.provider_events
    ADD CONSTRAINT provider_events_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.reconciliations
    ADD CONSTRAINT reconciliations_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY public.secrets
    ADD CONSTRAINT secrets_pkey PRIMARY KEY (tenant_id, name);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.sign_in_attempts
    ADD CONSTRAINT sign_in_attempts_pkey PRIMARY KEY (tenant_id, state_hash);

ALTER TABLE ONLY public.staff
    ADD CONSTRAINT staff_email_key UNIQUE (email);

ALTER TABLE ONLY public.staff_identities
    ADD CONSTRAINT staff_identities_pkey PRIMARY KEY (issuer, subject);

ALTER TABLE ONLY public.staff_links
    ADD CONSTRAINT staff_links_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.staff_messages
    ADD CONSTRAINT staff_messages_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.staff
    ADD CONSTRAINT staff_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.staff_sessions
    ADD CONSTRAINT staff_sessions_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.staff_sessions
    ADD CONSTRAINT staff_sessions_token_hash_key UNIQUE (token_hash);

ALTER TABLE ONLY public.staff_sign_in_attempts
    ADD CONSTRAINT staff_sign_in_attempts_pkey PRIMARY KEY (state_hash);

ALTER TABLE ONLY public.subscription_items
    ADD CONSTRAINT subscription_items_pkey PRIMARY KEY (tenant_id, subscription_id, id);

ALTER TABLE ONLY public.subscriptions
    ADD CONSTRAINT subscriptions_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.support_views
    ADD CONSTRAINT support_views_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.tenant_figures
    ADD CONSTRAINT tenant_figures_pkey PRIMARY KEY (tenant_id);

ALTER TABLE ONLY public.tenant_invitations
    ADD CONSTRAINT tenant_invitations_pkey PRIMARY KEY (tenant_id, id);

ALTER TABLE ONLY public.tenant_members
    ADD CONSTRAINT tenant_members_pkey PRIMARY KEY (tenant_id, staff_id);

ALTER TABLE ONLY public.tenants
    ADD CONSTRAINT tenants_pkey PRIMARY KEY (id);

ALTER TABLE ONLY public.tenants
    ADD CONSTRAINT tenants_slug_key UNIQUE (slug);

ALTER TABLE ONLY public.test_clocks
    ADD CONSTRAINT test_clocks_pkey PRIMARY KEY (tenant_id, id);

CREATE INDEX agency_audit_log_at ON public.agency_audit_log USING btree (agency_id, at DESC);

CREATE INDEX agency_invitations_id ON public.agency_invitations USING btree (id);

CREATE UNIQUE INDEX agency_invitations_open ON public.agency_invitations USING btree (agency_id, email) WHERE ((accepted_at IS NULL) AND (revoked_at IS NULL));

CREATE INDEX agency_members_staff ON public.agency_members USING btree (staff_id);

CREATE INDEX audit_log_at ON public.audit_log USING btree (tenant_id, at DESC);

CREATE INDEX audit_log_object ON public.audit_log USING btree (tenant_id, object, at DESC);

CREATE INDEX book_checks_due ON public.book_checks USING btree (due_at);

CREATE INDEX card_pages_opened ON public.card_pages USING btree (tenant_id, opened_at);

CREATE INDEX change_requests_subscription ON public.change_requests USING btree (tenant_id, subscription_id, started_at DESC);

CREATE UNIQUE INDEX change_requests_unfinished ON public.change_requests USING btree (tenant_id, subscription_id) WHERE (state = ANY (ARRAY['started'::text, 'unknown'::text]));

CREATE INDEX customers_email ON public.customers USING btree (tenant_id, lower(email)) WHERE (NOT deleted);

CREATE INDEX customers_newest ON public.customers USING btree (tenant_id, created_at DESC, id DESC) WHERE (NOT deleted);

CREATE INDEX customers_sought_email ON public.customers USING btree (tenant_id, sought_email) WHERE (NOT deleted);

CREATE INDEX customers_sought_name ON public.customers USING btree (tenant_id, sought_name) WHERE (NOT deleted);

CREATE INDEX dunning_attempts_bans ON public.dunning_attempts USING btree (tenant_id, fingerprint) WHERE ((decline_code = ANY (ARRAY['lost_card'::text, 'pickup_card'::text, 'revocation_of_all_authorizations'::text, 'revocation_of_authorization'::text, 'stolen_card'::text, 'stop_payment_order'::text])) OR (network_decline_code = ANY (ARRAY['04'::text, '07'::text, '12'::text, '14'::text, '15'::text, '41'::text, '43'::text, '46'::text, '57'::text, 'R0'::text, 'R1'::text, 'R3'::text])) OR (network_advice_code = ANY (ARRAY['03'::text, '21'::text])));

CREATE INDEX dunning_attempts_card ON public.dunning_attempts USING btree (tenant_id, fingerprint, started_at);

CREATE INDEX dunning_attempts_charge ON public.dunning_attempts USING btree (tenant_id, charge_id);

CREATE UNIQUE INDEX dunning_attempts_under_way ON public.dunning_attempts USING btree (tenant_id, invoice_id, initiator) WHERE (state = ANY (ARRAY['started'::text, 'unknown'::text]));

CREATE INDEX dunning_attempts_unfinished ON public.dunning_attempts USING btree (tenant_id, sent_at) WHERE ((initiator = 'customer'::text) AND (finished_at IS NULL));

CREATE INDEX dunning_cases_clock ON public.dunning_cases USING btree (tenant_id, test_clock_id, due_at) WHERE ((test_clock_id IS NOT NULL) AND (wake_at IS NOT NULL));

CREATE INDEX dunning_cases_customer ON public.dunning_cases USING btree (tenant_id, customer_id, opened_at);

CREATE INDEX dunning_cases_policy ON public.dunning_cases USING btree (tenant_id, policy_version) WHERE (wake_at IS NOT NULL);

CREATE INDEX dunning_cases_subscription ON public.dunning_cases USING btree (tenant_id, subscription_id);

CREATE INDEX dunning_cases_wake ON public.dunning_cases USING btree (tenant_id, wake_at) INCLUDE (state) WHERE (wake_at IS NOT NULL);

CREATE INDEX former_accounts_due ON public.former_accounts USING btree (due_at, tenant_id) WHERE (due_at IS NOT NULL);

CREATE INDEX hosts_checked ON public.hosts USING btree (checked_at NULLS FIRST);

CREATE UNIQUE INDEX hosts_host ON public.hosts USING btree (host) WHERE (verified_at IS NOT NULL);

CREATE INDEX invoice_payments_intent ON public.invoice_payments USING btree (tenant_id, payment_intent_id);

CREATE INDEX invoices_customer ON public.invoices USING btree (tenant_id, customer_id, created_at DESC, id DESC);

CREATE INDEX invoices_open ON public.invoices USING btree (tenant_id, customer_id, created_at) WHERE (status = 'open'::text);

CREATE INDEX messages_customer ON public.messages USING btree (tenant_id, customer_id, kind, at);

CREATE INDEX messages_due ON public.messages USING btree (tenant_id, due_at) WHERE (due_at IS NOT NULL);

CREATE INDEX messages_kept ON public.messages USING btree (tenant_id, queued_at) WHERE ((erased_at IS NULL) AND (due_at IS NULL));

CREATE INDEX messages_queued ON public.messages USING btree (tenant_id, queued_at);

CREATE INDEX payment_attempts_bans ON public.payment_attempts USING btree (tenant_id, fingerprint) WHERE ((status = 'failed'::text) AND ((decline_code = ANY (ARRAY['lost_card'::text, 'pickup_card'::text, 'revocation_of_all_authorizations'::text, 'revocation_of_authorization'::text, 'stolen_card'::text, 'stop_payment_order'::text])) OR (network_decline_code = ANY (ARRAY['04'::text, '07'::text, '12'::text, '14'::text, '15'::text, '41'::text, '43'::text, '46'::text, '57'::text, 'R0'::text, 'R1'::text, 'R3'::text])) OR (network_advice_code = ANY (ARRAY['03'::text, '21'::text]))));

CREATE INDEX payment_attempts_card ON public.payment_attempts USING btree (tenant_id, fingerprint, created_at);

CREATE INDEX payment_attempts_failed ON public.payment_attempts USING btree (tenant_id, created_at) WHERE (status = 'failed'::text);

CREATE INDEX payment_attempts_intent ON public.payment_attempts USING btree (tenant_id, payment_intent_id, created_at);

CREATE INDEX payment_methods_customer ON public.payment_methods USING btree (tenant_id, customer_id, created_at);

CREATE INDEX payment_methods_expiring ON public.payment_methods USING btree (tenant_id, exp_year, exp_month, id) WHERE (customer_id IS NOT NULL);

CREATE INDEX provider_connections_rejected ON public.provider_connections USING btree (tenant_id, checked_at) WHERE (rejected_at IS NOT NULL);

CREATE INDEX provider_endpoints_due ON public.provider_endpoints USING btree (due_at, tenant_id) WHERE (due_at IS NOT NULL);

CREATE INDEX provider_events_bodies ON public.provider_events USING btree (tenant_id, handled_at) WHERE ((handled_at IS NOT NULL) AND (body IS NOT NULL));

CREATE INDEX provider_events_waiting ON public.provider_events USING btree (tenant_id, received_at) WHERE (handled_at IS NULL);

CREATE INDEX sessions_customer ON public.sessions USING btree (tenant_id, customer_id);

CREATE UNIQUE INDEX sessions_token ON public.sessions USING btree (tenant_id, token_hash);

CREATE INDEX staff_links_expires ON public.staff_links USING btree (expires_at);

CREATE INDEX staff_messages_due ON public.staff_messages USING btree (due_at) WHERE (due_at IS NOT NULL);

CREATE INDEX staff_sessions_staff ON public.staff_sessions USING btree (staff_id);

CREATE INDEX subscriptions_customer ON public.subscriptions USING btree (tenant_id, customer_id, created_at);

CREATE INDEX subscriptions_renewals ON public.subscriptions USING btree (tenant_id, current_period_end_at, id) WHERE ((status = 'active'::text) AND (NOT cancel_at_period_end));

CREATE INDEX subscriptions_standing ON public.subscriptions USING btree (tenant_id, public.standing_of(status), created_at DESC, id DESC);

CREATE INDEX subscriptions_trials ON public.subscriptions USING btree (tenant_id, trial_end_at, id) WHERE (status = 'trialing'::text);

CREATE UNIQUE INDEX support_views_link ON public.support_views USING btree (tenant_id, link_hash);

CREATE UNIQUE INDEX support_views_token ON public.support_views USING btree (tenant_id, token_hash);

CREATE INDEX tenant_figures_due ON public.tenant_figures USING btree (due_at);

CREATE INDEX tenant_invitations_id ON public.tenant_invitations USING btree (id);

CREATE UNIQUE INDEX tenant_invitations_open ON public.tenant_invitations USING btree (tenant_id, email) WHERE ((accepted_at IS NULL) AND (revoked_at IS NULL));

CREATE INDEX tenant_members_staff ON public.tenant_members USING btree (staff_id);

CREATE UNIQUE INDEX tenants_agency_id ON public.tenants USING btree (id, agency_id);

CREATE INDEX tenants_agency_name ON public.tenants USING btree (agency_id, lower(name), slug);

CREATE INDEX tenants_agency_slug ON public.tenants USING btree (agency_id, slug);

CREATE INDEX tenants_change ON public.tenants USING btree (change_no);

CREATE INDEX tenants_changed_in ON public.tenants USING btree (changed_in);

CREATE TRIGGER customers_news AFTER UPDATE ON public.customers FOR EACH ROW WHEN ((((old.default_payment_method_id IS DISTINCT FROM new.default_payment_method_id) OR (old.fallback_payment_method_ids IS DISTINCT FROM new.fallback_payment_method_ids)) OR (old.deleted IS DISTINCT FROM new.deleted))) EXECUTE FUNCTION public.note_news('customer');

CREATE TRIGGER hosts_touch AFTER INSERT OR DELETE OR UPDATE OF verified_at ON public.hosts FOR EACH ROW EXECUTE FUNCTION public.touch_tenant();

CREATE TRIGGER invoices_news AFTER UPDATE ON public.invoices FOR EACH ROW WHEN (((((old.status IS DISTINCT FROM new.status) OR (old.attempt_count IS DISTINCT FROM new.attempt_count)) OR (old.amount_remaining IS DISTINCT FROM new.amount_remaining)) OR (old.next_payment_attempt_at IS DISTINCT FROM new.next_payment_attempt_at))) EXECUTE FUNCTION public.note_news('invoice');

CREATE TRIGGER invoices_news_new AFTER INSERT ON public.invoices FOR EACH ROW WHEN ((((new.status = 'open'::text) AND (new.attempt_count > 0)) OR (new.paid_at > (now() - '1 day'::interval)) OR ((new.paid_at IS NOT NULL) AND public.may_live_by_test_clock(new.tenant_id, new.customer_id)))) EXECUTE FUNCTION public.note_news('invoice');

CREATE TRIGGER payment_attempts_news AFTER UPDATE ON public.payment_attempts FOR EACH ROW WHEN ((old.status IS DISTINCT FROM new.status)) EXECUTE FUNCTION public.note_news('attempt');

CREATE TRIGGER payment_attempts_news_new AFTER INSERT ON public.payment_attempts FOR EACH ROW WHEN (((new.status = 'failed'::text) AND ((new.created_at > (now() - '60 days'::interval)) OR public.may_live_by_test_clock(new.tenant_id, new.customer_id)))) EXECUTE FUNCTION public.note_news('attempt');

CREATE TRIGGER payment_methods_news AFTER UPDATE ON public.payment_methods FOR EACH ROW WHEN ((((old.customer_id IS DISTINCT FROM new.customer_id) OR (old.exp_month IS DISTINCT FROM new.exp_month)) OR (old.exp_year IS DISTINCT FROM new.exp_year))) EXECUTE FUNCTION public.note_news('payment_method');

CREATE TRIGGER payment_methods_news_new AFTER INSERT ON public.payment_methods FOR EACH ROW WHEN (((new.customer_id IS NOT NULL) AND ((new.created_at > (now() - '1 day'::interval)) OR public.may_live_by_test_clock(new.tenant_id, new.customer_id)))) EXECUTE FUNCTION public.note_news('payment_method');

CREATE TRIGGER secrets_connection_removed AFTER DELETE ON public.secrets FOR EACH ROW WHEN ((old.name = 'stripe_secret_key'::text)) EXECUTE FUNCTION public.renew_connection();

CREATE TRIGGER secrets_connection_set AFTER INSERT OR UPDATE OF sealed ON public.secrets FOR EACH ROW WHEN ((new.name = 'stripe_secret_key'::text)) EXECUTE FUNCTION public.renew_connection();

CREATE TRIGGER secrets_issuer_removed AFTER DELETE ON public.secrets FOR EACH ROW WHEN ((old.name ~~ 'oidc:%'::text)) EXECUTE FUNCTION public.forget_issuer();

CREATE TRIGGER secrets_issuer_set AFTER INSERT OR UPDATE OF sealed ON public.secrets FOR EACH ROW WHEN ((new.name ~~ 'oidc:%'::text)) EXECUTE FUNCTION public.forget_issuer();

CREATE TRIGGER secrets_touch AFTER INSERT OR DELETE OR UPDATE OF sealed ON public.secrets FOR EACH ROW EXECUTE FUNCTION public.touch_tenant();

CREATE TRIGGER subscriptions_news AFTER UPDATE ON public.subscriptions FOR EACH ROW WHEN (((((old.status IS DISTINCT FROM new.status) OR (old.cancel_at_period_end IS DISTINCT FROM new.cancel_at_period_end)) OR (old.trial_end_at IS DISTINCT FROM new.trial_end_at)) OR (old.default_payment_method_id IS DISTINCT FROM new.default_payment_method_id))) EXECUTE FUNCTION public.note_news('subscription');

CREATE TRIGGER subscriptions_news_new AFTER INSERT ON public.subscriptions FOR EACH ROW WHEN (((new.created_at > (now() - '1 day'::interval)) OR public.may_live_by_test_clock(new.tenant_id, new.customer_id))) EXECUTE FUNCTION public.note_news('subscription');

CREATE TRIGGER tenants_announce AFTER INSERT OR UPDATE ON public.tenants FOR EACH ROW EXECUTE FUNCTION public.announce_tenant();

CREATE TRIGGER tenants_change BEFORE UPDATE ON public.tenants FOR EACH ROW EXECUTE FUNCTION public.tenant_changes();

CREATE TRIGGER test_clocks_news AFTER INSERT OR UPDATE OF frozen_at ON public.test_clocks FOR EACH ROW EXECUTE FUNCTION public.note_news('test_clock');

ALTER TABLE ONLY public.agency_audit_log
    ADD CONSTRAINT agency_audit_log_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES public.agencies(id);

ALTER TABLE ONLY public.agency_invitations
    ADD CONSTRAINT agency_invitations_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES public.agencies(id);

ALTER TABLE ONLY public.agency_members
    ADD CONSTRAINT agency_members_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES public.agencies(id);

ALTER TABLE ONLY public.agency_members
    ADD CONSTRAINT agency_members_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.assets
    ADD CONSTRAINT assets_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.audit_log
    ADD CONSTRAINT audit_log_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.book_checks
    ADD CONSTRAINT book_checks_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.book_differences
    ADD CONSTRAINT book_differences_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.card_pages
    ADD CONSTRAINT card_pages_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.change_requests
    ADD CONSTRAINT change_requests_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.configuration_drafts
    ADD CONSTRAINT configuration_drafts_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.configurations
    ADD CONSTRAINT configurations_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.customers
    ADD CONSTRAINT customers_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.dunning_attempts
    ADD CONSTRAINT dunning_attempts_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.dunning_cases
    ADD CONSTRAINT dunning_cases_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.former_accounts
    ADD CONSTRAINT former_accounts_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.hosts
    ADD CONSTRAINT hosts_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.identities
    ADD CONSTRAINT identities_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.identity_provider_secrets
    ADD CONSTRAINT identity_provider_secrets_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.imports
    ADD CONSTRAINT imports_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.invoices
    ADD CONSTRAINT invoices_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.mail_preferences
    ADD CONSTRAINT mail_preferences_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.messages
    ADD CONSTRAINT messages_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.mirror_news
    ADD CONSTRAINT mirror_news_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.payment_attempts
    ADD CONSTRAINT payment_attempts_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.payment_method_leases
    ADD CONSTRAINT payment_method_leases_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.payment_methods
    ADD CONSTRAINT payment_methods_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.preferences
    ADD CONSTRAINT preferences_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.preview_links
    ADD CONSTRAINT preview_links_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.preview_links
    ADD CONSTRAINT preview_links_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.prices
    ADD CONSTRAINT prices_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.products
    ADD CONSTRAINT products_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.provider_accounts
    ADD CONSTRAINT provider_accounts_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.provider_connections
    ADD CONSTRAINT provider_connections_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.provider_endpoints
    ADD CONSTRAINT provider_endpoints_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.reconciliations
    ADD CONSTRAINT reconciliations_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.secrets
    ADD CONSTRAINT secrets_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.sessions
    ADD CONSTRAINT sessions_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.sign_in_attempts
    ADD CONSTRAINT sign_in_attempts_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.staff_identities
    ADD CONSTRAINT staff_identities_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.staff_links
    ADD CONSTRAINT staff_links_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.staff_sessions
    ADD CONSTRAINT staff_sessions_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.subscriptions
    ADD CONSTRAINT subscriptions_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.support_views
    ADD CONSTRAINT support_views_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.support_views
    ADD CONSTRAINT support_views_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.tenant_figures
    ADD CONSTRAINT tenant_figures_tenant_id_agency_id_fkey FOREIGN KEY (tenant_id, agency_id) REFERENCES public.tenants(id, agency_id) ON UPDATE CASCADE;

ALTER TABLE ONLY public.tenant_invitations
    ADD CONSTRAINT tenant_invitations_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.tenant_members
    ADD CONSTRAINT tenant_members_staff_id_fkey FOREIGN KEY (staff_id) REFERENCES public.staff(id);

ALTER TABLE ONLY public.tenant_members
    ADD CONSTRAINT tenant_members_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE ONLY public.tenants
    ADD CONSTRAINT tenants_agency_id_fkey FOREIGN KEY (agency_id) REFERENCES public.agencies(id);

ALTER TABLE ONLY public.test_clocks
    ADD CONSTRAINT test_clocks_tenant_id_fkey FOREIGN KEY (tenant_id) REFERENCES public.tenants(id);

ALTER TABLE public.agencies ENABLE ROW LEVEL SECURITY;

CREATE POLICY agency ON public.agencies TO guichet_agency USING ((id = public.current_agency()));

CREATE POLICY agency ON public.agency_audit_log TO guichet_agency USING ((agency_id = public.current_agency()));

CREATE POLICY agency ON public.agency_invitations TO guichet_agency USING ((agency_id = public.current_agency()));

CREATE POLICY agency ON public.agency_members TO guichet_agency USING ((agency_id = public.current_agency()));

CREATE POLICY agency ON public.tenant_figures TO guichet_agency USING ((agency_id = public.current_agency()));

CREATE POLICY agency ON public.tenants TO guichet_agency USING ((agency_id = public.current_agency()));

ALTER TABLE public.agency_audit_log ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.agency_invitations ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.agency_members ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.assets ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.audit_log ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.book_checks ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.book_differences ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.card_pages ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.change_requests ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.configuration_drafts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.configurations ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.customers ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.dunning_attempts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.dunning_cases ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.former_accounts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.hosts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.identities ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.identity_provider_secrets ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.imports ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.invoice_lines ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.invoice_payments ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.invoices ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.mail_preferences ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.messages ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.mirror_news ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.payment_attempts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.payment_method_leases ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.payment_methods ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.preferences ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.preview_links ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.prices ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.products ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.provider_accounts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.provider_connections ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.provider_endpoints ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.provider_events ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.reconciliations ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.secrets ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.sessions ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.sign_in_attempts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.staff ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.staff_identities ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.staff_links ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.staff_messages ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.staff_sessions ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.staff_sign_in_attempts ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.subscription_items ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.subscriptions ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.support_views ENABLE ROW LEVEL SECURITY;

CREATE POLICY system ON public.agencies TO guichet_system USING (true) WITH CHECK (true);

CREATE POLICY system ON public.agency_audit_log TO guichet_system USING (true) WITH CHECK (true);

CREATE POLICY system ON public.agency_invitations TO guichet_system USING (true) WITH CHECK (true);

CREATE POLICY system ON public.agency_members TO guichet_system USING (true) WITH CHECK (true);

CREATE POLICY system ON public.audit_log FOR INSERT TO guichet_system WITH CHECK (true);

CREATE POLICY system ON public.book_checks FOR SELECT TO guichet_system USING (true);

CREATE POLICY system ON public.change_requests FOR SELECT TO guichet_system USING (true);

CREATE POLICY system ON public.dunning_attempts FOR SELECT TO guichet_system USING (true);

CREATE POLICY system ON public.dunning_cases FOR SELECT TO guichet_system USING (true);

CREATE POLICY system ON public.former_accounts FOR SELECT TO guichet_system USING (true);

CREATE POLICY system ON public.hosts TO guichet_system USING (true) WITH CHECK (true);

CREATE POLICY system ON public.messages FOR SELECT TO guichet_system USING (true);

CREATE POLICY system ON public.mirror_news FOR SELECT TO guichet_system USING (true);

CREATE POLICY system ON public.provider_connections FOR SELECT TO guichet_system USING (true);

CREATE POLICY system ON public.provider_endpoints FOR SELECT TO guichet_system USING (true);

CREATE POLICY system ON public.provider_events FOR SELECT TO guichet_system USING (true);

CREATE POLICY system ON public.reconciliations FOR SELECT TO guichet_system USING (true);

CREATE POLICY system ON public.staff TO guichet_system USING (true) WITH CHECK (true);

CREATE POLICY system ON public.staff_identities TO guichet_system USING (true) WITH CHECK (true);

CREATE POLICY system ON public.staff_links TO guichet_system USING (true) WITH CHECK (true);

CREATE POLICY system ON public.staff_messages TO guichet_system USING (true) WITH CHECK (true);

CREATE POLICY system ON public.staff_sessions TO guichet_system USING (true) WITH CHECK (true);

CREATE POLICY system ON public.staff_sign_in_attempts TO guichet_system USING (true) WITH CHECK (true);

CREATE POLICY system ON public.support_views FOR SELECT TO guichet_system USING (true);

CREATE POLICY system ON public.tenant_figures TO guichet_system USING (true) WITH CHECK (true);

CREATE POLICY system ON public.tenant_invitations TO guichet_system USING (true) WITH CHECK (true);

CREATE POLICY system ON public.tenant_members TO guichet_system USING (true) WITH CHECK (true);

CREATE POLICY system ON public.tenants TO guichet_system USING (true) WITH CHECK (true);

CREATE POLICY tenant ON public.assets TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.audit_log TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.book_checks TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.book_differences TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.card_pages TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.change_requests TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.configuration_drafts TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.configurations TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.customers TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.dunning_attempts TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.dunning_cases TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.former_accounts TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.hosts TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.identities TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.identity_provider_secrets TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.imports TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.invoice_lines TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.invoice_payments TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.invoices TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.mail_preferences TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.messages TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.mirror_news TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.payment_attempts TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.payment_method_leases TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.payment_methods TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.preferences TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.preview_links TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.prices TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.products TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.provider_accounts TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.provider_connections TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.provider_endpoints TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.provider_events TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.reconciliations TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.secrets TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.sessions TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.sign_in_attempts TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.subscription_items TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.subscriptions TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.support_views TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.tenant_figures TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.tenant_invitations TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.tenant_members TO guichet_app USING ((tenant_id = public.current_tenant()));

CREATE POLICY tenant ON public.tenants TO guichet_app USING ((id = public.current_tenant()));

CREATE POLICY tenant ON public.test_clocks TO guichet_app USING ((tenant_id = public.current_tenant()));

ALTER TABLE public.tenant_figures ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.tenant_invitations ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.tenant_members ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.tenants ENABLE ROW LEVEL SECURITY;

ALTER TABLE public.test_clocks ENABLE ROW LEVEL SECURITY;

GRANT USAGE ON SCHEMA public TO guichet_app;
GRANT USAGE ON SCHEMA public TO guichet_system;
GRANT USAGE ON SCHEMA public TO guichet_agency;

REVOKE ALL ON FUNCTION public.portal_home(tenant uuid, session_token_hash bytea) FROM PUBLIC;
GRANT ALL ON FUNCTION public.portal_home(tenant uuid, session_token_hash bytea) TO guichet_app;

REVOKE ALL ON FUNCTION public.store_provider_events(event_tenants uuid[], event_ids text[], event_types text[], event_objects text[], event_times timestamp with time zone[], event_bodies bytea[]) FROM PUBLIC;
GRANT ALL ON FUNCTION public.store_provider_events(event_tenants uuid[], event_ids text[], event_types text[], event_objects text[], event_times timestamp with time zone[], event_bodies bytea[]) TO guichet_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.agencies TO guichet_system;
GRANT SELECT ON TABLE public.agencies TO guichet_agency;

GRANT UPDATE(name) ON TABLE public.agencies TO guichet_agency;

GRANT SELECT,INSERT ON TABLE public.agency_audit_log TO guichet_system;
GRANT SELECT,INSERT ON TABLE public.agency_audit_log TO guichet_agency;

GRANT SELECT,INSERT,UPDATE ON TABLE public.agency_invitations TO guichet_system;
GRANT SELECT ON TABLE public.agency_invitations TO guichet_agency;

GRANT UPDATE(revoked_at) ON TABLE public.agency_invitations TO guichet_agency;

GRANT SELECT,INSERT,UPDATE ON TABLE public.agency_members TO guichet_system;
GRANT SELECT,DELETE ON TABLE public.agency_members TO guichet_agency;

GRANT UPDATE(role) ON TABLE public.agency_members TO guichet_agency;

GRANT SELECT,INSERT,DELETE ON TABLE public.assets TO guichet_app;

GRANT UPDATE(unused_since) ON TABLE public.assets TO guichet_app;

GRANT SELECT,INSERT ON TABLE public.audit_log TO guichet_app;
GRANT INSERT ON TABLE public.audit_log TO guichet_system;

GRANT SELECT,INSERT,UPDATE ON TABLE public.book_checks TO guichet_app;

GRANT SELECT(tenant_id) ON TABLE public.book_checks TO guichet_system;

GRANT SELECT(due_at) ON TABLE public.book_checks TO guichet_system;

GRANT SELECT(finished_at) ON TABLE public.book_checks TO guichet_system;

GRANT SELECT(differences) ON TABLE public.book_checks TO guichet_system;

GRANT SELECT(failure) ON TABLE public.book_checks TO guichet_system;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.book_differences TO guichet_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.card_pages TO guichet_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.change_requests TO guichet_app;

GRANT SELECT(tenant_id) ON TABLE public.change_requests TO guichet_system;

GRANT SELECT(state) ON TABLE public.change_requests TO guichet_system;

GRANT SELECT(claimed_until) ON TABLE public.change_requests TO guichet_system;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.configuration_drafts TO guichet_app;

GRANT SELECT,INSERT ON TABLE public.configurations TO guichet_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.customers TO guichet_app;

GRANT USAGE ON SEQUENCE public.directory_changes TO guichet_app;
GRANT USAGE ON SEQUENCE public.directory_changes TO guichet_system;

GRANT SELECT,INSERT,UPDATE ON TABLE public.dunning_attempts TO guichet_app;

GRANT SELECT(tenant_id) ON TABLE public.dunning_attempts TO guichet_system;

GRANT SELECT(initiator) ON TABLE public.dunning_attempts TO guichet_system;

GRANT SELECT(sent_at) ON TABLE public.dunning_attempts TO guichet_system;

GRANT SELECT(state) ON TABLE public.dunning_attempts TO guichet_system;

GRANT SELECT(finished_at) ON TABLE public.dunning_attempts TO guichet_system;

GRANT SELECT(looked_at) ON TABLE public.dunning_attempts TO guichet_system;

GRANT SELECT,INSERT,UPDATE ON TABLE public.dunning_cases TO guichet_app;

GRANT SELECT(tenant_id) ON TABLE public.dunning_cases TO guichet_system;

GRANT SELECT(state) ON TABLE public.dunning_cases TO guichet_system;

GRANT SELECT(wake_at) ON TABLE public.dunning_cases TO guichet_system;

GRANT SELECT(policy_version) ON TABLE public.dunning_cases TO guichet_system;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.invoice_payments TO guichet_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.invoices TO guichet_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.payment_attempts TO guichet_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.payment_methods TO guichet_app;

GRANT SELECT ON TABLE public.failed_payment_documents TO guichet_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.former_accounts TO guichet_app;

GRANT SELECT(tenant_id) ON TABLE public.former_accounts TO guichet_system;

GRANT SELECT(due_at) ON TABLE public.former_accounts TO guichet_system;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.hosts TO guichet_system;
GRANT SELECT ON TABLE public.hosts TO guichet_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.identities TO guichet_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.identity_provider_secrets TO guichet_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.imports TO guichet_app;

GRANT SELECT ON TABLE public.invoice_documents TO guichet_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.invoice_lines TO guichet_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.mail_preferences TO guichet_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.messages TO guichet_app;

GRANT SELECT(tenant_id) ON TABLE public.messages TO guichet_system;

GRANT SELECT(kind) ON TABLE public.messages TO guichet_system;

GRANT SELECT(state) ON TABLE public.messages TO guichet_system;

GRANT SELECT(due_at) ON TABLE public.messages TO guichet_system;

GRANT USAGE ON SEQUENCE public.mirror_copies TO guichet_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.mirror_news TO guichet_app;

GRANT SELECT(tenant_id) ON TABLE public.mirror_news TO guichet_system;

GRANT SELECT(id) ON TABLE public.mirror_news TO guichet_system;

GRANT SELECT(noted_at) ON TABLE public.mirror_news TO guichet_system;
GRANT UPDATE(noted_at) ON TABLE public.mirror_news TO guichet_app;

GRANT UPDATE(set_aside_at) ON TABLE public.mirror_news TO guichet_app;
GRANT SELECT(set_aside_at) ON TABLE public.mirror_news TO guichet_system;

GRANT UPDATE(failure) ON TABLE public.mirror_news TO guichet_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.payment_method_leases TO guichet_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.preferences TO guichet_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.preview_links TO guichet_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.prices TO guichet_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.products TO guichet_app;

GRANT SELECT ON TABLE public.price_documents TO guichet_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.provider_accounts TO guichet_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.provider_connections TO guichet_app;

GRANT SELECT(tenant_id) ON TABLE public.provider_connections TO guichet_system;

GRANT SELECT(rejected_at) ON TABLE public.provider_connections TO guichet_system;

GRANT SELECT(reason) ON TABLE public.provider_connections TO guichet_system;

GRANT SELECT(refused) ON TABLE public.provider_connections TO guichet_system;

GRANT SELECT(checked_at) ON TABLE public.provider_connections TO guichet_system;

GRANT SELECT(stopped) ON TABLE public.provider_connections TO guichet_system;

GRANT SELECT,INSERT,UPDATE ON TABLE public.provider_endpoints TO guichet_app;

GRANT SELECT(tenant_id) ON TABLE public.provider_endpoints TO guichet_system;

GRANT SELECT(due_at) ON TABLE public.provider_endpoints TO guichet_system;

GRANT SELECT,INSERT,UPDATE ON TABLE public.provider_events TO guichet_app;

GRANT SELECT(tenant_id) ON TABLE public.provider_events TO guichet_system;

GRANT SELECT(received_at) ON TABLE public.provider_events TO guichet_system;

GRANT SELECT(handled_at) ON TABLE public.provider_events TO guichet_system;

GRANT SELECT(claimed_until) ON TABLE public.provider_events TO guichet_system;

GRANT SELECT,INSERT,UPDATE ON TABLE public.reconciliations TO guichet_app;

GRANT SELECT(tenant_id) ON TABLE public.reconciliations TO guichet_system;

GRANT SELECT(read_until) ON TABLE public.reconciliations TO guichet_system;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.secrets TO guichet_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.sessions TO guichet_app;

GRANT SELECT,INSERT,DELETE ON TABLE public.sign_in_attempts TO guichet_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.staff TO guichet_system;

GRANT SELECT,INSERT ON TABLE public.staff_identities TO guichet_system;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.staff_links TO guichet_system;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.staff_messages TO guichet_system;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.staff_sessions TO guichet_system;

GRANT SELECT,INSERT,DELETE ON TABLE public.staff_sign_in_attempts TO guichet_system;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.subscription_items TO guichet_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.subscriptions TO guichet_app;

GRANT SELECT ON TABLE public.subscription_documents TO guichet_app;

GRANT SELECT,INSERT,DELETE,UPDATE ON TABLE public.support_views TO guichet_app;

GRANT SELECT(tenant_id) ON TABLE public.support_views TO guichet_system;

GRANT SELECT(id) ON TABLE public.support_views TO guichet_system;

GRANT SELECT(staff_id) ON TABLE public.support_views TO guichet_system;

GRANT SELECT(staff_name) ON TABLE public.support_views TO guichet_system;

GRANT SELECT(session_id) ON TABLE public.support_views TO guichet_system;

GRANT SELECT(token_hash) ON TABLE public.support_views TO guichet_system;

GRANT SELECT(expires_at) ON TABLE public.support_views TO guichet_system;

GRANT SELECT(ended_at) ON TABLE public.support_views TO guichet_system;

GRANT SELECT,INSERT,UPDATE ON TABLE public.tenant_figures TO guichet_app;

GRANT SELECT(tenant_id) ON TABLE public.tenant_figures TO guichet_agency;
GRANT SELECT(tenant_id) ON TABLE public.tenant_figures TO guichet_system;

GRANT SELECT(agency_id) ON TABLE public.tenant_figures TO guichet_agency;

GRANT SELECT(due_at) ON TABLE public.tenant_figures TO guichet_system;

GRANT SELECT(computed_at) ON TABLE public.tenant_figures TO guichet_agency;

GRANT SELECT(customers) ON TABLE public.tenant_figures TO guichet_agency;

GRANT SELECT(active) ON TABLE public.tenant_figures TO guichet_agency;

GRANT SELECT(trialing) ON TABLE public.tenant_figures TO guichet_agency;

GRANT SELECT(past_due) ON TABLE public.tenant_figures TO guichet_agency;

GRANT SELECT(started) ON TABLE public.tenant_figures TO guichet_agency;

GRANT SELECT(ended) ON TABLE public.tenant_figures TO guichet_agency;

GRANT SELECT(failed) ON TABLE public.tenant_figures TO guichet_agency;

GRANT SELECT(recovered) ON TABLE public.tenant_figures TO guichet_agency;

GRANT SELECT(mrr) ON TABLE public.tenant_figures TO guichet_agency;

GRANT SELECT(health) ON TABLE public.tenant_figures TO guichet_agency;

GRANT SELECT,INSERT,UPDATE ON TABLE public.tenant_invitations TO guichet_system;
GRANT SELECT ON TABLE public.tenant_invitations TO guichet_app;

GRANT UPDATE(revoked_at) ON TABLE public.tenant_invitations TO guichet_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.tenant_members TO guichet_system;
GRANT SELECT,DELETE ON TABLE public.tenant_members TO guichet_app;

GRANT UPDATE(role) ON TABLE public.tenant_members TO guichet_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.tenants TO guichet_system;
GRANT SELECT ON TABLE public.tenants TO guichet_app;
GRANT SELECT ON TABLE public.tenants TO guichet_agency;

GRANT UPDATE(published_version) ON TABLE public.tenants TO guichet_app;

GRANT UPDATE(changed_at) ON TABLE public.tenants TO guichet_app;

GRANT SELECT,INSERT,UPDATE ON TABLE public.test_clocks TO guichet_app;
