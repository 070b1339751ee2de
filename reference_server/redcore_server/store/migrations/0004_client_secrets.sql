-- A client secret that was replaced stays valid until a given time.

alter table applications
    add column previous_secret_hash bytea,
    add column previous_secret_ends_at timestamptz;
