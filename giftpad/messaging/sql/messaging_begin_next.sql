-- From one message of bulk to the next, in one round trip and one commit: the provider has the one
-- before, and this one is being handed over from now on.  Whoever dies after it leaves one message
-- of which nobody knows.  It says whether the next one is still its caller's to send.
CREATE OR REPLACE FUNCTION messaging_begin_next(
    p_tenant uuid, p_done uuid, p_done_attempt bigint, p_done_name text,
    p_next uuid, p_next_attempt bigint, p_held_until timestamptz
) RETURNS boolean
LANGUAGE plpgsql SET search_path = public, pg_temp
AS $$
DECLARE
    v_told text := set_config('app.tenant_id', p_tenant::text, true);
BEGIN
    IF p_done IS NOT NULL THEN
        UPDATE messaging_messages SET sent_at = clock_now(), provider_id = p_done_name
        WHERE tenant_id = p_tenant AND id = p_done
            AND state = 'sending' AND attempts = p_done_attempt;
    END IF;
    -- A call whose connection broke is repeated, and may find what it has done itself.
    UPDATE messaging_messages m
    SET state = 'sending', attempts = p_next_attempt, leased_until = m.due_at
    WHERE m.tenant_id = p_tenant AND m.id = p_next AND m.due_at = p_held_until
        AND ((m.state = 'queued' AND m.attempts = p_next_attempt - 1)
            OR (m.state = 'sending' AND m.attempts = p_next_attempt))
        AND NOT EXISTS (
            SELECT FROM messaging_runs r
            WHERE r.tenant_id = p_tenant AND r.id = m.run_id AND r.paused_at IS NOT NULL);
    RETURN FOUND;
END
$$;
