-- Open guarded accounts and book the amount that each is issued with.
-- Rows come as arrays: reading a caller's table here would run the caller's code, in an index or
-- in statistics on it, with the rights of this function's owner.
CREATE OR REPLACE FUNCTION ledger_issue_many(
    p_tenant uuid, p_entry uuid, p_kind text, p_account_kind text, p_source uuid,
    p_accounts uuid[], p_transfers uuid[], p_amount bigint, p_at timestamptz
) RETURNS bigint
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    v_source ledger_accounts%ROWTYPE;
    v_count bigint;
BEGIN
    SELECT * INTO STRICT v_source FROM ledger_accounts WHERE tenant_id = p_tenant AND id = p_source;
    IF v_source.balance_minor IS NOT NULL THEN
        RAISE EXCEPTION 'ledger: value is issued from an account without a running balance';
    END IF;
    INSERT INTO ledger_accounts (tenant_id, id, book_id, kind, unit, balance_minor, seq)
    SELECT p_tenant, a.id, v_source.book_id, p_account_kind, v_source.unit, p_amount, 1
    FROM unnest(p_accounts) AS a (id);
    INSERT INTO ledger_transfers (tenant_id, id, entry_id, kind, debit_id, credit_id, amount_minor,
        credit_after_minor, credit_seq, at)
    SELECT p_tenant, n.transfer_id, p_entry, p_kind, p_source, n.account_id, p_amount,
        p_amount, 1, p_at
    FROM unnest(p_accounts, p_transfers) AS n (account_id, transfer_id);
    GET DIAGNOSTICS v_count = ROW_COUNT;
    RETURN v_count;
END
$$;
