#!/bin/sh
# Runs once, when the database is made: its roles get the passwords of the secret "roles", a line
# each: "giftpad_app:password".
set -eu
createdb --username postgres --owner giftpad_owner giftpad
while IFS=: read -r role password; do
    psql --username postgres --set ON_ERROR_STOP=1 --set role="$role" --set password="$password" \
        --dbname giftpad <<'SQL'
ALTER ROLE :"role" PASSWORD :'password';
SQL
done < /run/secrets/roles
