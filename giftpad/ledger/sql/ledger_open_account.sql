-- Open an account, or find the one that its subject already has; answer its id.
CREATE OR REPLACE FUNCTION ledger_open_account(
    p_tenant uuid, p_id uuid, p_book uuid, p_kind text, p_unit text, p_guarded boolean, p_subject uuid
) RETURNS uuid
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp
AS $$
DECLARE
    v_id uuid;
BEGIN
    INSERT INTO ledger_accounts (tenant_id, id, book_id, kind, unit, subject_id, balance_minor, seq)
    VALUES (p_tenant, p_id, p_book, p_kind, p_unit, p_subject,
        CASE WHEN p_guarded THEN 0 END, CASE WHEN p_guarded THEN 0 END)
    ON CONFLICT (tenant_id, book_id, kind, subject_id) WHERE subject_id IS NOT NULL DO NOTHING
    RETURNING id INTO v_id;
    IF v_id IS NULL THEN
        SELECT id INTO STRICT v_id FROM ledger_accounts
        WHERE tenant_id = p_tenant AND book_id = p_book AND kind = p_kind AND subject_id = p_subject;
    END IF;
    RETURN v_id;
END
$$;
