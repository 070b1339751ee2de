-- What people sign in with, and clients that cannot keep a secret.

alter table users
    add column password_hash text, -- argon2id; null until the person chose one
    add column totp_secret text, -- base32; null without a second factor
    add column totp_step bigint; -- the last time step that was used: none is good twice

alter table applications
    alter column secret_hash drop not null; -- null for a public client (RFC 6749 section 2.1)
