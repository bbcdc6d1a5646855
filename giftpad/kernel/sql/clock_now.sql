-- The instant by which money is judged: the transaction's own.  A test database replaces this
-- function by one with an offset; no other database has an offset to set.
CREATE OR REPLACE FUNCTION clock_now() RETURNS timestamptz
LANGUAGE sql STABLE PARALLEL SAFE
AS $$ SELECT now() $$;
