-- A run ends with the credential that started it, as it ends with the authority of its owner.

-- The API key, or the application of the token. No reference: a run outlives what started it. Null for runs of the version
-- before.
alter table workflow_runs add column credential_id text;

-- The role that limits a run: the lower one of its owner and the owner of the application. Null if one of the two is gone
-- or not active, the application was deleted, or the API key revoked. A key that has expired started the run in time.
create function role_of_run(owner text, credential text) returns text
language sql stable
return (
    select case
        when 'viewer' in (person.role, client_owner.role) then 'viewer'
        when 'editor' in (person.role, client_owner.role) then 'editor'
        else 'admin'
    end
    from users as person
    left join applications as application on application.id = credential
    left join users as client_owner on client_owner.id = application.owner_id and client_owner.status = 'active'
    where person.id = owner
        and person.status = 'active'
        and (
            credential is null
            or client_owner.id is not null
            or exists (select from api_keys where id = credential and revoked_at is null)
        )
);
