-- Open one guarded account a staged row and book the amount it is issued with.
-- COPY does not work under row-level security, so rows come by pg_temp.ledger_staging.
CREATE OR REPLACE FUNCTION ledger_issue_staged(
    p_tenant uuid, p_entry uuid, p_kind text, p_account_kind text, p_source uuid, p_at timestamptz,
    OUT count bigint, OUT total bigint
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    v_source ledger_accounts%ROWTYPE;
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
    SELECT * INTO STRICT v_source FROM ledger_accounts WHERE tenant_id = p_tenant AND id = p_source;
    IF v_source.balance_minor IS NOT NULL THEN
        RAISE EXCEPTION 'ledger: value is issued from an account without a running balance';
    END IF;
    INSERT INTO ledger_accounts (tenant_id, id, book_id, kind, unit, balance_minor, seq)
    SELECT p_tenant, s.account_id, v_source.book_id, p_account_kind, v_source.unit, s.amount_minor, 1
    FROM pg_temp.ledger_staging s;
    INSERT INTO ledger_transfers (tenant_id, id, entry_id, kind, debit_id, credit_id, amount_minor,
        credit_after_minor, credit_seq, at)
    SELECT p_tenant, s.transfer_id, p_entry, p_kind, p_source, s.account_id, s.amount_minor,
        s.amount_minor, 1, p_at
    FROM pg_temp.ledger_staging s;
    SELECT count(*), COALESCE(sum(amount_minor), 0) INTO count, total FROM pg_temp.ledger_staging;
END
$$;
