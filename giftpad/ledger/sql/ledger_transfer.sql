-- Move an amount from one account to another of the same book: the only way value moves singly.
-- Guarded accounts are locked and changed in the order of their ids; an answer of moved = false
-- means that the debited account holds too little, and then nothing was written.
CREATE OR REPLACE FUNCTION ledger_transfer(
    p_tenant uuid, p_id uuid, p_entry uuid, p_kind text, p_debit uuid, p_credit uuid,
    p_amount bigint, p_reverses uuid, p_at timestamptz,
    OUT moved boolean, OUT debit_after bigint, OUT credit_after bigint
)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    v_debit ledger_accounts%ROWTYPE;
    v_credit ledger_accounts%ROWTYPE;
BEGIN
    SELECT * INTO STRICT v_credit FROM ledger_accounts WHERE tenant_id = p_tenant AND id = p_credit;
    IF v_credit.balance_minor IS NOT NULL AND p_credit < p_debit THEN
        PERFORM 1 FROM ledger_accounts WHERE tenant_id = p_tenant AND id = p_credit FOR NO KEY UPDATE;
    END IF;
    UPDATE ledger_accounts SET balance_minor = balance_minor - p_amount, seq = seq + 1
    WHERE tenant_id = p_tenant AND id = p_debit AND balance_minor >= p_amount
    RETURNING * INTO v_debit;
    IF NOT FOUND THEN
        SELECT * INTO STRICT v_debit FROM ledger_accounts WHERE tenant_id = p_tenant AND id = p_debit;
        IF v_debit.balance_minor IS NOT NULL THEN
            moved := false;
            debit_after := v_debit.balance_minor;
            RETURN;
        END IF;
    END IF;
    IF v_debit.book_id <> v_credit.book_id OR v_debit.unit <> v_credit.unit THEN
        RAISE EXCEPTION 'ledger: accounts % and % are not of one book and unit', p_debit, p_credit;
    END IF;
    IF v_credit.balance_minor IS NOT NULL THEN
        UPDATE ledger_accounts SET balance_minor = balance_minor + p_amount, seq = seq + 1
        WHERE tenant_id = p_tenant AND id = p_credit
        RETURNING * INTO v_credit;
    END IF;
    INSERT INTO ledger_transfers (tenant_id, id, entry_id, kind, debit_id, credit_id, amount_minor,
        debit_after_minor, debit_seq, credit_after_minor, credit_seq, reverses_id, at)
    VALUES (p_tenant, p_id, p_entry, p_kind, p_debit, p_credit, p_amount,
        v_debit.balance_minor, v_debit.seq, v_credit.balance_minor, v_credit.seq, p_reverses, p_at);
    moved := true;
    debit_after := v_debit.balance_minor;
    credit_after := v_credit.balance_minor;
END
$$;
