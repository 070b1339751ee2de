-- Runs of workflows. What a run works on and makes is in its own columns; how it is run is the worker's part.

create table workflow_runs (
    id text primary key,
    organisation_id text not null references organisations on delete cascade,
    owner_id text references users on delete set null, -- on whose behalf
    workflow text not null,
    status text not null check (status in ('queued', 'running', 'succeeded', 'failed', 'cancelled')),
    progress double precision not null check (progress between 0 and 1),
    input jsonb not null,
    result jsonb,
    error jsonb,
    request_id text not null, -- of the request that started it, for the logs
    failures integer not null default 0, -- attempts that ended in a fault of ours
    cancel_requested_at timestamptz,
    created_at timestamptz not null,
    started_at timestamptz,
    finished_at timestamptz
);
create index workflow_runs_listing on workflow_runs (organisation_id, created_at desc, id desc);
