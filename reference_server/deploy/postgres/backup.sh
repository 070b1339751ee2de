#!/bin/sh
# A backup each day, and one as soon as this server becomes the primary: full on Sundays, else what has changed since.
# It runs beside PostgreSQL, with its files and its socket. pgBackRest makes the first one full, and drops what is older
# than its retention.
set -u
last=never
while :; do
    today=$(date -u +%F)
    if [ "$today" != "$last" ] && [ "$(psql --username postgres -Atc 'select pg_is_in_recovery()')" = f ]; then
        type=diff
        [ "$(date -u +%u)" = 7 ] && type=full
        pgbackrest --stanza=redcore stanza-create && pgbackrest --stanza=redcore --type="$type" backup && last=$today
    fi
    sleep "${BACKUP_CHECK_SECONDS:-60}"
done
