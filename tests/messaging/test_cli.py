"""Whoever looks after the queue sees what became of messages, and can have one sent again."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from giftpad import audit, messaging, tenancy
from giftpad.cli import cli
from giftpad.kernel.work import unit_of_work
from tests import make
from tests.messaging.conftest import MAIL, code_message, invitation
from tests.messaging.test_bulk import letters, open_run, send_many
from tests.messaging.wire import CUT

NAMES = (
    *("database_url", "database_owner_url", "database_relay_url", "redis_url", "kek_file"),
    *("smtp_url", "mail_from", "sms_url", "sms_token"),
)


@pytest.fixture
def run(post, monkeypatch):
    """Run one command on the tenant of ``post``."""
    for name in NAMES:
        monkeypatch.setenv(f"GIFTPAD_{name.upper()}", getattr(post.settings, name))
    slug = tenancy.get_tenant(post.scope.tenant_id).slug
    return lambda *words: CliRunner().invoke(cli, ["mail", *words, "--tenant", slug])


def test_messages_are_listed_newest_first_and_masked(post, run):
    first, second = post.send(invitation()), post.send(code_message("sms"))
    post.sms.statuses = [422]
    post.deliver()
    shown = run("list")
    assert (shown.exit_code, MAIL in shown.output) == (0, False)
    lines = shown.output.splitlines()
    assert [str(second) in lines[0], str(first) in lines[1]] == [True, True]
    assert "sms sign_in_code to ***1937: failed, 1 attempts: SMS provider answered 422" in lines[0]
    assert "mail invitation to h***@aoba.example: sent, 1 attempts" in lines[1]
    only = [
        json.loads(line) for line in run("list", "--state", "failed", "--json").output.splitlines()
    ]
    assert [(each["id"], each["state"]) for each in only] == [(str(second), "failed")]


def test_what_is_unknown_is_sent_again_by_hand_and_on_record(post, run):
    post.mail.replies["taken"] = [CUT]
    message_id = post.send(invitation())
    post.deliver()
    done = run("retry", str(message_id))
    assert (done.exit_code, done.output) == (0, "The message is on its way again.\n")
    with unit_of_work(post.scope) as work:
        entry = audit.list_entries(work, audit.EntryFilter(limit=1))[0]
    assert (entry.action, entry.subject) == ("message.retried", f"message:{message_id}")
    post.deliver()
    assert post.view(message_id).state == "sent"
    assert len(post.mail.mails) == 2


def test_what_has_arrived_is_under_way_or_held_a_code_is_not_sent_again(post, run):
    sent, queued = post.send(invitation()), post.send(code_message())
    post.mail.replies["RCPT"] = ["250 fine", "550 never"]
    post.deliver()
    under_way = post.send(invitation())
    assert [post.view(each).state for each in (sent, queued, under_way)] == [
        *("sent", "failed", "queued")
    ]
    for message_id in (sent, queued, under_way):
        with pytest.raises(messaging.MessageWrongState), unit_of_work(post.scope) as work:
            messaging.retry(work, message_id)
        assert isinstance(run("retry", str(message_id)).exception, messaging.MessageWrongState)
    stranger = make.make_tenant()
    with unit_of_work(stranger) as work, pytest.raises(messaging.MessageNotFound):
        messaging.retry(work, sent)


def test_runs_are_listed_paused_and_resumed(post, run):
    run_id = open_run(post, "Summer gifts")
    send_many(post, letters(3, run_id))
    assert f"{run_id} Summer gifts: 3 of 3 wait" in run("runs").output
    assert run("pause", str(run_id)).output == "The run is paused.\n"
    assert run("pause", str(run_id)).output == "The run was paused already.\n"
    assert "3 of 3 wait, paused" in run("runs").output
    post.deliver()
    assert post.mail.mails == []
    assert run("resume", str(run_id)).output == "The run goes on.\n"
    post.deliver()
    assert "0 of 3 wait; 3 sent" in run("runs").output
    (told,) = [json.loads(line) for line in run("runs", "--json").output.splitlines()]
    assert (told["counts"]["sent"], told["ends_at"]) == (3, None)
    gone = run("pause", str(post.scope.tenant_id))
    assert isinstance(gone.exception, messaging.RunNotFound)


def test_addresses_that_are_left_alone_are_listed_masked_and_lifted(post, run, hooks):
    message_id = post.send(invitation())
    post.deliver()
    hooks({"id": str(message_id), "status": "bounced", "permanent": True})
    shown = run("stopped").output
    assert "mail h***@aoba.example: bounced" in shown
    assert MAIL not in shown
    assert run("lift", MAIL).output == "Messages may go there again; 1 reasons were lifted.\n"
    assert run("stopped").output == ""
    assert isinstance(run("lift", MAIL).exception, messaging.SuppressionNotFound)
