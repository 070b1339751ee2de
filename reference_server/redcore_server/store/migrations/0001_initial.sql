-- The first schema: identity, catalogue, invitations, idempotency, signing keys.
-- Times are always given by the server's clock; no column has a default that reads the database's.

create table organisations (
    id text primary key,
    name text not null,
    plan text not null check (plan in ('free', 'pro', 'enterprise')),
    created_at timestamptz not null
);

create table users (
    id text primary key,
    organisation_id text not null references organisations on delete cascade,
    email text not null,
    email_key text not null, -- NFKC and casefold of email: what "the same address" means
    name text not null,
    role text not null check (role in ('admin', 'editor', 'viewer')),
    status text not null check (status in ('active', 'inactive', 'pending_invite')),
    invitation_sent_at timestamptz,
    accepted_at timestamptz, -- null until an invitation was accepted; only then may status be active
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organisation_id, email_key)
);
create index users_listing on users (organisation_id, created_at desc, id desc);

create table products (
    id text primary key,
    organisation_id text not null references organisations on delete cascade,
    name text not null,
    sku text not null,
    price bigint not null check (price >= 0), -- minor units
    stock bigint not null check (stock >= 0),
    status text not null check (status in ('available', 'out_of_stock', 'discontinued')),
    created_at timestamptz not null,
    updated_at timestamptz not null,
    unique (organisation_id, sku)
);
create index products_listing on products (organisation_id, created_at desc, id desc);

create table applications (
    id text primary key, -- the OAuth client_id
    organisation_id text not null references organisations on delete cascade,
    owner_id text not null references users on delete cascade,
    name text not null,
    secret_hash bytea not null, -- SHA-256 of 256 random bits
    scopes text[] not null,
    redirect_uris text[] not null,
    created_at timestamptz not null
);
create index applications_listing on applications (organisation_id, created_at desc, id desc);
create index applications_owner on applications (owner_id);

create table api_keys (
    id text primary key,
    organisation_id text not null references organisations on delete cascade,
    owner_id text not null references users on delete cascade,
    name text not null,
    hash bytea not null unique, -- SHA-256 of the whole key
    hint text not null, -- its last four characters
    mode text not null check (mode in ('live', 'test')),
    scopes text[] not null,
    created_at timestamptz not null,
    expires_at timestamptz,
    revoked_at timestamptz
);
create index api_keys_listing on api_keys (organisation_id, created_at desc, id desc);
create index api_keys_owner on api_keys (owner_id);

create table invitations (
    id text primary key,
    user_id text not null references users on delete cascade,
    created_at timestamptz not null,
    expires_at timestamptz not null,
    voided_at timestamptz,
    accepted_at timestamptz,
    sent_at timestamptz
);
create index invitations_user on invitations (user_id);

create table idempotency (
    organisation_id text not null references organisations on delete cascade,
    principal text not null, -- the credential that made the request
    key text not null,
    fingerprint bytea not null, -- SHA-256 of method, path and body
    status smallint not null,
    headers jsonb not null,
    body bytea not null,
    created_at timestamptz not null,
    primary key (principal, key)
);
create index idempotency_age on idempotency (created_at);

create table signing_keys (
    kid text primary key,
    private_pem text not null,
    created_at timestamptz not null, -- published from here on
    active_at timestamptz not null, -- signs from here on, until a younger one does
    retired_at timestamptz -- published until here; null while it has no successor
);

create table settings (
    name text primary key,
    value text not null
);
