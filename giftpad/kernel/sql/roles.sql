-- The roles of Giftpad; run once by a superuser, safe to repeat.
--   giftpad_owner    owns the tables; migrations SET ROLE to it.  Nobody logs in as it.
--   giftpad_ledger   owns the functions that move money.  Nobody logs in as it.
--   giftpad_migrate  logs in for migrations (GIFTPAD_DATABASE_OWNER_URL).
--   giftpad_app      logs in for everything else (GIFTPAD_DATABASE_URL).
--   giftpad_relay    logs in for the relay (GIFTPAD_DATABASE_RELAY_URL).
-- Passwords are the administrator's: ALTER ROLE … PASSWORD.  None of them bypasses row security.
DO $$
DECLARE
    wanted record;
BEGIN
    FOR wanted IN
        SELECT * FROM (VALUES ('giftpad_owner', 'NOLOGIN'), ('giftpad_ledger', 'NOLOGIN'),
            ('giftpad_migrate', 'LOGIN NOINHERIT'), ('giftpad_app', 'LOGIN'),
            ('giftpad_relay', 'LOGIN')) AS roles (name, options)
    LOOP
        IF NOT EXISTS (SELECT 1 FROM pg_roles WHERE rolname = wanted.name) THEN
            EXECUTE format('CREATE ROLE %I %s NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS',
                wanted.name, wanted.options);
        END IF;
    END LOOP;
END
$$;
GRANT giftpad_owner TO giftpad_migrate;
GRANT giftpad_ledger TO giftpad_owner;
