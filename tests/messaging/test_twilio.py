"""An SMS provider that speaks as Twilio does: receipts, and what became of a lost answer."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

import pytest

from giftpad import messaging
from giftpad.kernel.config import SettingsError, read_settings
from giftpad.kernel.work import unit_of_work
from giftpad.messaging import handlers, jobs
from giftpad.messaging.adapters.sms_twilio import sign
from giftpad.messaging.commands import start_sending
from tests.messaging.conftest import PHONE, code_message
from tests.messaging.test_gift_letters import gift

TOKEN = "a token"
FORM = "application/x-www-form-urlencoded"


def sms(**changes):
    found = gift(to=PHONE, channel="sms", **changes)
    return replace(found, is_bulk=changes.get("is_bulk", False))


@pytest.fixture
def twilio(post, hooks, settings):
    """The same provider, speaking as Twilio does."""
    post.settings = replace(
        post.settings, sms_url=post.sms.twilio_url, sms_from="+815000000000", hooks_secret=""
    )
    messaging.bind_providers(post.settings)

    def tell(message_id, form, *, token=TOKEN):
        path = f"/api/hooks/messages/twilio?message={message_id}"
        signature = sign(token, post.settings.public_address + path, list(form.items()))
        return hooks.client.post(
            path,
            data=urlencode(form),
            content_type=FORM,
            headers={"X-Twilio-Signature": signature},
        )

    return tell


def test_an_sms_goes_to_a_provider_that_speaks_as_twilio_does(post, twilio):
    message_id = post.send(sms())
    post.deliver()
    (asked,) = post.sms.asked
    assert asked["headers"]["Authorization"] == "Basic QUMxOmEgdG9rZW4="
    assert (asked["body"]["To"], asked["body"]["From"]) == (PHONE, "+815000000000")
    assert asked["body"]["StatusCallback"].endswith(
        f"/api/hooks/messages/twilio?message={message_id}"
    )
    assert (post.view(message_id).state, post.view(message_id).provider_id) == ("sent", "sms-1")
    form = {"MessageSid": "SM1", "MessageStatus": "sent"}
    assert twilio(message_id, form).json == {"noted": 0}
    assert twilio(message_id, form | {"MessageStatus": "delivered"}).json == {"noted": 1}
    assert post.view(message_id).state == "delivered"


def test_the_signature_is_that_of_twilios_own_example():
    form = {
        "CallSid": "CA1234567890ABCDE",
        "Caller": "+14158675309",
        "Digits": "1234",
        "From": "+14158675309",
        "To": "+18005551212",
    }
    url = "https://mycompany.com/myapp.php?foo=1&bar=2"
    assert sign("12345", url, list(form.items())) == "RSOYDt4T1cUTdK1PDd93/VVr8B8="


def test_a_number_that_says_stop_is_left_alone(post, twilio):
    message_id = post.send(sms())
    post.deliver()
    form = {"MessageStatus": "undelivered", "ErrorCode": "21610"}
    assert twilio(message_id, form).json == {"noted": 2}
    bulk, code = post.send(sms(is_bulk=True)), post.send(code_message("sms"))
    post.deliver()
    assert (post.view(bulk).state, post.view(code).state) == ("suppressed", "sent")


def test_a_number_that_is_none_is_left_alone(post, twilio):
    message_id = post.send(sms())
    post.deliver()
    twilio(message_id, {"MessageStatus": "failed", "ErrorCode": "30006"})
    again = post.send(sms())
    post.deliver()
    assert [post.view(each).state for each in (message_id, again)] == ["bounced", "suppressed"]


def test_a_form_that_twilio_has_not_signed_changes_nothing(post, twilio, hooks):
    message_id = post.send(sms())
    post.deliver()
    form = {"MessageStatus": "delivered"}
    assert twilio(message_id, form, token="another").status_code == 404
    path = f"/api/hooks/messages/twilio?message={message_id}"
    assert hooks.client.post(path, data=form).status_code == 404
    signature = sign("a token", post.settings.public_address + path, list(form.items()))
    for other in (path.replace("message=", "message=0"), path + "&x=1"):
        answer = hooks.client.post(other, data=form, headers={"X-Twilio-Signature": signature})
        assert answer.status_code == 404
    assert post.view(message_id).state == "sent"
    messaging.bind_providers(replace(post.settings, sms_url=post.sms.url))
    assert twilio(message_id, form).status_code == 404


def test_a_lost_answer_of_twilio_is_asked_for_and_never_sent_twice(post, twilio):
    from tests.messaging.wire import CUT

    post.sms.statuses = [CUT]
    message_id = post.send(sms())
    post.deliver()
    assert post.view(message_id).state == "unknown"
    assert jobs.ask_for_unknown(post.scope) == 0, "its list may lack what it took a moment ago"
    post.change(message_id, told_at=datetime.now(UTC) - timedelta(minutes=3))
    assert jobs.ask_for_unknown(post.scope) == 1
    found = post.view(message_id)
    assert (found.state, found.provider_id) == ("sent", "SM-listed")
    assert len(post.sms.asked) == 1


def test_what_twilio_never_took_goes_out_again(post, twilio):
    post.sms.statuses = [500]
    message_id = post.send(sms())
    post.deliver()
    assert post.view(message_id).state == "unknown"
    post.sms.known.clear()
    post.change(message_id, told_at=datetime.now(UTC) - timedelta(minutes=3))
    assert jobs.ask_for_unknown(post.scope) == 1
    post.deliver()
    assert post.view(message_id).state == "sent"
    assert len(post.sms.asked) == 2


def test_a_provider_that_cannot_tell_leaves_it_to_a_person(post, twilio):
    post.sms.statuses, post.sms.listing = [500], 500
    message_id = post.send(sms())
    post.deliver()
    post.change(message_id, told_at=datetime.now(UTC) - timedelta(minutes=3))
    assert jobs.ask_for_unknown(post.scope) == 0
    assert post.view(message_id).state == "unknown"
    with unit_of_work(post.scope) as work:
        messaging.retry(work, message_id)
    post.sms.listing = 200
    post.deliver()
    assert post.view(message_id).provider_id == "SM-listed"
    assert len(post.sms.asked) == 1, "a person asked for it again, and it was there already"


def test_our_own_wire_is_asked_by_the_key(post):
    message_id = post.send(sms())
    with unit_of_work(post.scope) as work:
        parcel = start_sending(work, message_id)
    from giftpad.messaging.adapters import ask
    from giftpad.messaging.rules.sending import NEVER

    assert ask(parcel) is NEVER
    handlers.hand_over(parcel)
    assert ask(parcel).provider_id == "sms-asked"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"GIFTPAD_SMS_URL": "twilio+https://api.example/x"}, "Messages.json"),
        ({"GIFTPAD_SMS_URL": "twilio+http://api.example/Accounts/A/Messages.json"}, "https://"),
        ({"GIFTPAD_SMS_FROM": ""}, "GIFTPAD_SMS_FROM is not set"),
        ({"GIFTPAD_HOOKS_SECRET": "short"}, "GIFTPAD_HOOKS_SECRET is shorter"),
        ({"GIFTPAD_MAIL_RATE_PER_S": "-1"}, "GIFTPAD_MAIL_RATE_PER_S"),
    ],
)
def test_a_provider_like_twilio_that_cannot_be_used_is_named_at_the_start(changes, word):
    right = {
        "GIFTPAD_SMS_URL": "twilio+https://api.example/2010-04-01/Accounts/AC1/Messages.json",
        "GIFTPAD_SMS_TOKEN": "t",
        "GIFTPAD_SMS_FROM": "+815000000000",
    }
    assert read_settings(right).sms_url.startswith("twilio+")
    with pytest.raises(SettingsError, match=word):
        read_settings(right | changes)
