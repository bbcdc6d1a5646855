-- Find what a code opens and say whether it may be spent in a shop now; reason is NULL if it may.
-- The order of the questions is the order in which refusals take precedence.
CREATE OR REPLACE FUNCTION payments_judge(
    p_tenant uuid, p_locator bigint, p_code_hashes bytea[], p_shop uuid,
    OUT reason text, OUT locator bigint, OUT account_id uuid, OUT kind text, OUT terms_id uuid,
    OUT programme_id uuid, OUT unit text, OUT ceiling_minor bigint, OUT balance_minor bigint,
    OUT starts_at timestamptz, OUT ends_at timestamptz, OUT areas text[]
)
LANGUAGE plpgsql STABLE SET search_path = public, pg_temp
AS $$
DECLARE
    v_now timestamptz := clock_now();
    v_state text;
    v_released timestamptz;
    v_groups text[];
    v_accepting boolean;
    v_area text;
    v_shop_groups text[];
BEGIN
    locator := p_locator;
    IF locator IS NULL THEN
        SELECT i.locator INTO locator FROM payment_instruments i
        WHERE i.tenant_id = p_tenant AND i.code_hash = ANY (p_code_hashes);
    END IF;
    SELECT i.account_id, i.state, t.id, t.kind, t.programme_id, t.starts_at, t.ends_at,
        t.released_at, r.unit, r.ceiling_minor, r.groups, r.areas, a.balance_minor
    INTO account_id, v_state, terms_id, kind, programme_id, starts_at, ends_at,
        v_released, unit, ceiling_minor, v_groups, areas, balance_minor
    FROM payment_instruments i
    JOIN payment_terms t ON t.tenant_id = i.tenant_id AND t.id = i.terms_id
    JOIN payment_rules r ON r.tenant_id = t.tenant_id AND r.programme_id = t.programme_id
    JOIN ledger_accounts a ON a.tenant_id = i.tenant_id AND a.id = i.account_id
    WHERE i.tenant_id = p_tenant AND i.locator = payments_judge.locator;
    IF NOT FOUND THEN
        reason := 'instrument.not_found';
        RETURN;
    END IF;
    SELECT f.accepting, f.area, f.groups INTO v_accepting, v_area, v_shop_groups
    FROM shop_facts f
    WHERE f.tenant_id = p_tenant AND f.shop_id = p_shop AND f.starts_at <= v_now
    ORDER BY f.starts_at DESC LIMIT 1;
    reason := CASE
        WHEN v_accepting IS NULL THEN 'payment.unknown_shop'
        WHEN v_state = 'replaced' THEN 'instrument.replaced'
        WHEN v_state = 'blocked' THEN 'instrument.blocked'
        WHEN v_now >= payments_judge.ends_at THEN 'instrument.expired'
        WHEN v_released IS NULL OR v_now < payments_judge.starts_at THEN 'instrument.not_active'
        WHEN v_groups <> '{}' AND NOT v_groups && v_shop_groups THEN 'payment.wrong_programme'
        WHEN NOT v_accepting THEN 'payment.shop_suspended'
        WHEN areas <> '{}' AND NOT v_area = ANY (areas) THEN 'payment.not_accepted_here'
        WHEN payments_judge.balance_minor = 0 THEN 'payment.insufficient_balance'
    END;
END
$$;
