-- Move all that accounts still hold to one account; an empty account is left alone.
CREATE OR REPLACE FUNCTION ledger_drain_many(
    p_tenant uuid, p_entry uuid, p_kind text, p_target uuid,
    p_accounts uuid[], p_transfers uuid[], p_at timestamptz,
    OUT count bigint, OUT total bigint
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    v_target ledger_accounts%ROWTYPE;
    v_emptied bigint;
BEGIN
    SELECT * INTO STRICT v_target FROM ledger_accounts WHERE tenant_id = p_tenant AND id = p_target;
    IF v_target.balance_minor IS NOT NULL THEN
        RAISE EXCEPTION 'ledger: value drains to an account without a running balance';
    END IF;
    PERFORM 1 FROM ledger_accounts a
    WHERE a.tenant_id = p_tenant AND a.id = ANY (p_accounts) ORDER BY a.id FOR NO KEY UPDATE;
    IF EXISTS (
        SELECT 1 FROM ledger_accounts a
        WHERE a.tenant_id = p_tenant AND a.id = ANY (p_accounts)
            AND (a.book_id <> v_target.book_id OR a.unit <> v_target.unit)
    ) THEN
        RAISE EXCEPTION 'ledger: an account is not of the book and unit of %', p_target;
    END IF;
    WITH drained AS (
        INSERT INTO ledger_transfers (tenant_id, id, entry_id, kind, debit_id, credit_id,
            amount_minor, debit_after_minor, debit_seq, at)
        SELECT p_tenant, n.transfer_id, p_entry, p_kind, a.id, p_target, a.balance_minor, 0,
            a.seq + 1, p_at
        FROM unnest(p_accounts, p_transfers) AS n (account_id, transfer_id)
        JOIN ledger_accounts a ON a.tenant_id = p_tenant AND a.id = n.account_id
        WHERE a.balance_minor > 0
        RETURNING amount_minor
    )
    SELECT count(*), COALESCE(sum(amount_minor), 0) INTO count, total FROM drained;
    UPDATE ledger_accounts a SET balance_minor = 0, seq = a.seq + 1
    WHERE a.tenant_id = p_tenant AND a.id = ANY (p_accounts) AND a.balance_minor > 0;
    GET DIAGNOSTICS v_emptied = ROW_COUNT;
    IF v_emptied <> count THEN
        RAISE EXCEPTION 'ledger: an account was named twice';
    END IF;
END
$$;
