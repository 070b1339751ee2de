-- How many invitations an organisation has just sent decides when the next one's turn is.

create index invited_recent on invited (organisation_id, invited_at);
