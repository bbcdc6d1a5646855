-- What a shop sees before it asks for money; changes nothing.
CREATE OR REPLACE FUNCTION payments_look_up(
    p_tenant uuid, p_locator bigint, p_code_hashes bytea[], p_shop uuid,
    OUT reason text, OUT locator bigint, OUT account_id uuid, OUT kind text, OUT terms_id uuid,
    OUT programme_id uuid, OUT unit text, OUT ceiling_minor bigint, OUT balance_minor bigint,
    OUT starts_at timestamptz, OUT ends_at timestamptz, OUT areas text[]
)
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    v_told text := set_config('app.tenant_id', p_tenant::text, true);
BEGIN
    SELECT * INTO reason, locator, account_id, kind, terms_id, programme_id, unit, ceiling_minor,
        balance_minor, starts_at, ends_at, areas
    FROM payments_judge(p_tenant, p_locator, p_code_hashes, p_shop);
END
$$;
