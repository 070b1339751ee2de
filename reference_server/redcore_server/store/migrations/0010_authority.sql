-- Who answers for a role, what a run may do, in which order runs take their turns, and how often an address was invited.

-- Whoever gave a user the role. No reference: a person who is gone answers for nothing.
alter table users add column appointed_by text;

alter table workflow_runs
    add column scopes text[] not null default '{}', -- of whoever started it, at that moment
    add column lane smallint not null default 0, -- runs of one lane of an organisation follow each other
    add column turn integer not null default 0; -- the lowest is next
create index workflow_runs_begun on workflow_runs (turn) where started_at is not null;
create index workflow_runs_turns on workflow_runs (organisation_id, turn);
create index workflow_runs_open on workflow_runs (organisation_id, lane) where status in ('queued', 'running');

-- The invitations of a day, by address. Those of users do not tell: they go with their user, who can be made again.
create table invited (
    organisation_id text not null references organisations on delete cascade,
    email_key text not null,
    invited_at timestamptz not null
);
create index invited_address on invited (organisation_id, email_key, invited_at desc);
create index invited_age on invited (invited_at);

-- When an address may be invited again: five times in an hour and ten times in a day; null if it may be now.
create function invitable_again(organisation text, address text, moment timestamptz) returns timestamptz
language sql stable
return (
    select max(again) from (
        (
            select invited_at + interval '1 hour' as again from invited
            where organisation_id = organisation and email_key = address and invited_at > moment - interval '1 hour'
            order by invited_at desc offset 4 limit 1
        )
        union all
        (
            select invited_at + interval '1 day' as again from invited
            where organisation_id = organisation and email_key = address and invited_at > moment - interval '1 day'
            order by invited_at desc offset 9 limit 1
        )
    ) as limits
);
