-- Move all that the staged accounts still hold to one account; an empty account is left alone.
CREATE OR REPLACE FUNCTION ledger_drain_staged(
    p_tenant uuid, p_entry uuid, p_kind text, p_target uuid, p_at timestamptz,
    OUT count bigint, OUT total bigint
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    v_target ledger_accounts%ROWTYPE;
BEGIN
    IF NOT EXISTS (
        SELECT 1 FROM pg_class c WHERE c.oid = to_regclass('pg_temp.ledger_staging')
            AND c.relkind = 'r' AND NOT c.relhasrules AND NOT c.relrowsecurity
            AND NOT EXISTS (
                SELECT 1 FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0
                    AND a.atttypid NOT IN (
                        'uuid'::regtype, 'bigint'::regtype, 'bytea'::regtype))
    ) THEN
        -- Reading anything but plain columns would run the caller's code with this owner's rights.
        RAISE EXCEPTION 'ledger: pg_temp.ledger_staging is not a plain table';
    END IF;
    SELECT * INTO STRICT v_target FROM ledger_accounts WHERE tenant_id = p_tenant AND id = p_target;
    IF v_target.balance_minor IS NOT NULL THEN
        RAISE EXCEPTION 'ledger: value drains to an account without a running balance';
    END IF;
    PERFORM 1 FROM ledger_accounts a JOIN pg_temp.ledger_staging s ON s.account_id = a.id
    WHERE a.tenant_id = p_tenant ORDER BY a.id FOR NO KEY UPDATE OF a;
    IF EXISTS (
        SELECT 1 FROM ledger_accounts a JOIN pg_temp.ledger_staging s ON s.account_id = a.id
        WHERE a.tenant_id = p_tenant AND (a.book_id <> v_target.book_id OR a.unit <> v_target.unit)
    ) THEN
        RAISE EXCEPTION 'ledger: a staged account is not of the book and unit of %', p_target;
    END IF;
    WITH drained AS (
        INSERT INTO ledger_transfers (tenant_id, id, entry_id, kind, debit_id, credit_id,
            amount_minor, debit_after_minor, debit_seq, at)
        SELECT p_tenant, s.transfer_id, p_entry, p_kind, a.id, p_target, a.balance_minor, 0,
            a.seq + 1, p_at
        FROM ledger_accounts a JOIN pg_temp.ledger_staging s ON s.account_id = a.id
        WHERE a.tenant_id = p_tenant AND a.balance_minor > 0
        RETURNING amount_minor
    )
    SELECT count(*), COALESCE(sum(amount_minor), 0) INTO count, total FROM drained;
    UPDATE ledger_accounts a SET balance_minor = 0, seq = a.seq + 1
    FROM pg_temp.ledger_staging s
    WHERE a.tenant_id = p_tenant AND a.id = s.account_id AND a.balance_minor > 0;
END
$$;
