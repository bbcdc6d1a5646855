-- One payment, whole: key, judgement, debit, payment, event, in one call and one transaction.
-- outcome is 'paid', 'replayed', or the code of a refusal, after which nothing has been written.
-- Other functions are called by assignment: in FROM each would be a statement with a table of its own.
CREATE OR REPLACE FUNCTION payments_pay(
    p_tenant uuid, p_client text, p_key text, p_hash bytea,
    p_payment uuid, p_transfer uuid, p_event uuid, p_payable uuid,
    p_locator bigint, p_code_hashes bytea[], p_shop uuid, p_amount bigint, p_actor text,
    OUT outcome text, OUT payment_id uuid, OUT amount_minor bigint, OUT balance_minor bigint,
    OUT at timestamptz, OUT shop_id uuid, OUT programme_id uuid, OUT unit text,
    OUT ceiling_minor bigint, OUT areas text[], OUT starts_at timestamptz, OUT ends_at timestamptz
)
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    v_first guard_keys%ROWTYPE;
    v_judged record;
    v_moved record;
    v_payable uuid;
    v_at timestamptz := clock_now();
    v_told text := set_config('app.tenant_id', p_tenant::text, true);
BEGIN
    at := v_at;
    -- The key's row comes first: a repeat waits here until the first call has ended.
    INSERT INTO guard_keys (tenant_id, client_id, key, request_hash, answer_ref, kept_until)
    VALUES (p_tenant, p_client, p_key, p_hash, p_payment, v_at + interval '30 days')
    ON CONFLICT DO NOTHING;
    IF NOT FOUND THEN
        SELECT * INTO v_first FROM guard_keys k
        WHERE k.tenant_id = p_tenant AND k.client_id = p_client AND k.key = p_key;
        IF v_first.request_hash IS DISTINCT FROM p_hash THEN
            outcome := 'idempotency.mismatch';
            RETURN;
        END IF;
        outcome := 'replayed';
        SELECT p.id, p.amount_minor, p.balance_after_minor, p.at, p.shop_id, p.programme_id, p.unit
        INTO STRICT payment_id, amount_minor, balance_minor, at, shop_id, programme_id, unit
        FROM payment_payments p WHERE p.tenant_id = p_tenant AND p.id = v_first.answer_ref;
        RETURN;
    END IF;
    v_judged := payments_judge(p_tenant, p_locator, p_code_hashes, p_shop);
    outcome := v_judged.reason;
    programme_id := v_judged.programme_id;
    unit := v_judged.unit;
    balance_minor := v_judged.balance_minor;
    ceiling_minor := v_judged.ceiling_minor;
    areas := v_judged.areas;
    starts_at := v_judged.starts_at;
    ends_at := v_judged.ends_at;
    IF outcome IS NULL AND p_amount > ceiling_minor THEN
        outcome := 'payment.over_ceiling';
    END IF;
    IF outcome IS NULL THEN
        SELECT a.id INTO v_payable FROM ledger_accounts a
        WHERE a.tenant_id = p_tenant AND a.book_id = v_judged.programme_id
            AND a.kind = 'shop_payable' AND a.subject_id = p_shop;
        IF v_payable IS NULL THEN
            v_payable := ledger_open_account(p_tenant, p_payable, v_judged.programme_id,
                'shop_payable', v_judged.unit, false, p_shop);
        END IF;
        v_moved := ledger_transfer(p_tenant, p_transfer, p_payment, 'pay',
            v_judged.account_id, v_payable, p_amount, NULL, v_at);
        balance_minor := v_moved.debit_after;
        IF NOT v_moved.moved THEN
            outcome := 'payment.insufficient_balance';
        END IF;
    END IF;
    IF outcome IS NOT NULL THEN
        -- A refusal is judged afresh next time, so its key must not be kept.
        DELETE FROM guard_keys k
        WHERE k.tenant_id = p_tenant AND k.client_id = p_client AND k.key = p_key;
        RETURN;
    END IF;
    outcome := 'paid';
    payment_id := p_payment;
    amount_minor := p_amount;
    shop_id := p_shop;
    -- Whoever blocks or replaces locks the account first; having it now, we see what they wrote.
    INSERT INTO payment_payments (tenant_id, id, kind, locator, account_id, programme_id, shop_id,
        unit, amount_minor, balance_after_minor, refunded_minor, transfer_id, client_id, actor, at)
    SELECT p_tenant, p_payment, v_judged.kind, v_judged.locator, v_judged.account_id,
        v_judged.programme_id, p_shop, v_judged.unit, p_amount, v_moved.debit_after, 0, p_transfer,
        p_client, p_actor, v_at
    FROM payment_instruments i
    WHERE i.tenant_id = p_tenant AND i.locator = v_judged.locator AND i.state = 'live';
    IF NOT FOUND THEN
        RAISE EXCEPTION 'the instrument changed during the payment' USING ERRCODE = 'GP001';
    END IF;
    INSERT INTO event_outbox (tenant_id, id, name, object_id, payload, created_at)
    VALUES (p_tenant, p_event, 'payment.captured_v1', p_payment, jsonb_build_object(
        'object_id', p_payment, 'account_id', v_judged.account_id,
        'programme_id', v_judged.programme_id, 'shop_id', p_shop, 'unit', v_judged.unit,
        'amount_minor', p_amount, 'balance_minor', v_moved.debit_after,
        'transfer_id', p_transfer, 'at', v_at), v_at);
END
$$;
