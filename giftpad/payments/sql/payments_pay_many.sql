-- Several payments of one tenant in one transaction, each as payments_pay alone would make it; the
-- rows are in the order of the arrays.  Whoever waits for a lock here lets others wait, so it waits
-- but a moment; the call fails as a whole then, and each payment may be made alone.
CREATE OR REPLACE FUNCTION payments_pay_many(
    p_tenant uuid, p_clients text[], p_keys text[], p_hashes bytea[],
    p_payments uuid[], p_transfers uuid[], p_events uuid[], p_payables uuid[],
    p_locators bigint[], p_shops uuid[], p_amounts bigint[], p_actors text[]
)
RETURNS TABLE (
    outcome text, payment_id uuid, amount_minor bigint, balance_minor bigint,
    at timestamptz, shop_id uuid, programme_id uuid, unit text,
    ceiling_minor bigint, areas text[], starts_at timestamptz, ends_at timestamptz
)
LANGUAGE plpgsql SET search_path = public, pg_temp SET lock_timeout = '50ms'
AS $$
BEGIN
    RETURN QUERY SELECT p.outcome, p.payment_id, p.amount_minor, p.balance_minor, p.at, p.shop_id,
        p.programme_id, p.unit, p.ceiling_minor, p.areas, p.starts_at, p.ends_at
    FROM unnest(p_clients, p_keys, p_hashes, p_payments, p_transfers, p_events, p_payables,
            p_locators, p_shops, p_amounts, p_actors) WITH ORDINALITY
        AS o (client, key, hash, payment, transfer, event, payable, locator, shop, amount, actor,
            place),
        LATERAL payments_pay(p_tenant, o.client, o.key, o.hash, o.payment, o.transfer, o.event,
            o.payable, o.locator, NULL, o.shop, o.amount, o.actor) p
    ORDER BY o.place;
END
$$;
