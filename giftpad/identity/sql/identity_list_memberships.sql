-- The roles of a person in each of these tenants.  Row-level security shows one tenant at a time,
-- so each is looked into as itself; the tenant that asked is the current one again afterwards.
CREATE OR REPLACE FUNCTION identity_list_memberships(
    p_tenant uuid, p_tenants uuid[], p_person uuid
) RETURNS TABLE (tenant_id uuid, id uuid, role text, shop_id uuid)
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    v_tenant uuid;
BEGIN
    FOREACH v_tenant IN ARRAY p_tenants LOOP
        PERFORM set_config('app.tenant_id', v_tenant::text, true);
        RETURN QUERY SELECT m.tenant_id, m.id, m.role, m.shop_id FROM identity_memberships m
            WHERE m.tenant_id = v_tenant AND m.person_id = p_person ORDER BY m.created_at, m.id;
    END LOOP;
    PERFORM set_config('app.tenant_id', p_tenant::text, true);
END
$$;
