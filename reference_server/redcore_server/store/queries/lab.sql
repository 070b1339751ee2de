-- name: keep
-- Copies what was seeded; does nothing if that was done before.
create schema if not exists lab;
create table if not exists lab.organisations as table organisations;
create table if not exists lab.users as table users;
create table if not exists lab.applications as table applications;
create table if not exists lab.api_keys as table api_keys;
create table if not exists lab.products as table products

-- name: delete_waiting_jobs
delete from procrastinate_jobs
where task_name in ('send_invitation', 'run_workflow', 'delete_object') and status <> 'doing'

-- name: running_jobs
select 1 from procrastinate_jobs
where task_name in ('send_invitation', 'run_workflow', 'delete_object') and status = 'doing'
limit 1

-- name: restore
-- By way of JSON, so that a copy made before a migration fits the table after it; by name, as `search` is computed.
-- Rows that are as they were are not written again, so a test pays for what it has changed.
-- Users who own credentials stay even if they are not in the copy: their organisation was seeded later.
delete from idempotency;
delete from invitations;
delete from invited;
delete from products where not exists (
    select from lab.products as kept
    where kept.id = products.id and jsonb_populate_record(null::products, to_jsonb(kept)) is not distinct from products
);
delete from workflow_runs;
delete from files; -- their bytes are orphans now, which the worker collects
delete from kept_files;
update organisations set stored_bytes = 0, kept_bytes = 0 where stored_bytes <> 0 or kept_bytes <> 0;
delete from api_keys
where organisation_id in (select id from lab.organisations) and id not in (select id from lab.api_keys);
delete from applications
where organisation_id in (select id from lab.organisations) and id not in (select id from lab.applications);
delete from users
where id not in (select id from lab.users)
    and id not in (select owner_id from applications union all select owner_id from api_keys);
insert into users (
    id, organisation_id, email, email_key, name, role, status, invitation_sent_at, accepted_at, created_at, updated_at,
    password_hash, totp_secret, totp_step, appointed_by
)
select
    restored.id, restored.organisation_id, restored.email, restored.email_key, restored.name, restored.role,
    restored.status, restored.invitation_sent_at, restored.accepted_at, restored.created_at,
    restored.updated_at, restored.password_hash, restored.totp_secret, restored.totp_step,
    restored.appointed_by
from lab.users as kept, jsonb_populate_record(null::users, to_jsonb(kept)) as restored
on conflict (id) do update set
    email = excluded.email,
    email_key = excluded.email_key,
    name = excluded.name,
    role = excluded.role,
    status = excluded.status,
    invitation_sent_at = excluded.invitation_sent_at,
    accepted_at = excluded.accepted_at,
    password_hash = excluded.password_hash,
    totp_secret = excluded.totp_secret,
    totp_step = excluded.totp_step,
    appointed_by = excluded.appointed_by,
    updated_at = excluded.updated_at
where users is distinct from excluded;
insert into applications
select restored.* from lab.applications as kept, jsonb_populate_record(null::applications, to_jsonb(kept)) as restored
on conflict (id) do update set
    secret_hash = excluded.secret_hash,
    previous_secret_hash = null,
    previous_secret_ends_at = null,
    scopes = excluded.scopes
where applications is distinct from excluded;
insert into api_keys
select restored.* from lab.api_keys as kept, jsonb_populate_record(null::api_keys, to_jsonb(kept)) as restored
on conflict (id) do update set revoked_at = excluded.revoked_at, expires_at = excluded.expires_at
where api_keys is distinct from excluded;
insert into products (id, organisation_id, name, sku, price, stock, status, created_at, updated_at)
select
    restored.id, restored.organisation_id, restored.name, restored.sku, restored.price, restored.stock,
    restored.status, restored.created_at, restored.updated_at
from lab.products as kept, jsonb_populate_record(null::products, to_jsonb(kept)) as restored
on conflict (id) do nothing
