-- What several shops of one tenant see before they ask for money, each as by payments_look_up; the
-- rows are in the order of the arrays.
CREATE OR REPLACE FUNCTION payments_look_up_many(
    p_tenant uuid, p_locators bigint[], p_shops uuid[]
)
RETURNS TABLE (
    reason text, locator bigint, programme_id uuid, unit text, ceiling_minor bigint,
    balance_minor bigint, starts_at timestamptz, ends_at timestamptz, account_id uuid
)
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    v_told text := set_config('app.tenant_id', p_tenant::text, true);
BEGIN
    RETURN QUERY SELECT j.reason, j.locator, j.programme_id, j.unit, j.ceiling_minor,
        j.balance_minor, j.starts_at, j.ends_at, j.account_id
    FROM unnest(p_locators, p_shops) WITH ORDINALITY AS o (locator, shop, place),
        LATERAL payments_judge(p_tenant, o.locator, NULL, o.shop) j
    ORDER BY o.place;
END
$$;
