-- SAML: the identity provider at which the people of an organisation sign in.

create table identity_providers (
    entity_id text primary key, -- the Issuer of its assertions, so that an issuer names one organisation
    organisation_id text not null unique references organisations on delete cascade,
    sso_url text not null, -- takes an AuthnRequest by HTTP-Redirect
    certificates text[] not null check (cardinality(certificates) > 0), -- PEM; two while its key changes
    created_at timestamptz not null
);
