-- Hold an account until the transaction ends, so that no payment can pass in between.
CREATE OR REPLACE FUNCTION ledger_lock_account(p_tenant uuid, p_id uuid) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
    SELECT balance_minor FROM ledger_accounts
    WHERE tenant_id = p_tenant AND id = p_id FOR NO KEY UPDATE
$$;
