"""Settings that refuse, sealed values that do not move, logs that keep quiet."""

from __future__ import annotations

from datetime import UTC, date, datetime
from uuid import uuid4

import pytest

from giftpad.kernel import clock, seal
from giftpad.kernel.config import SettingsError, read_settings
from giftpad.kernel.files import FileStore
from giftpad.kernel.i18n import choose_locale, format_amount, translate
from giftpad.kernel.ids import first_id_at, instant_of, new_id
from giftpad.kernel.log import redact_event


@pytest.mark.parametrize(
    ("environment", "word"),
    [
        ({"GIFTPAD_PROT": "8000"}, "GIFTPAD_PROT"),
        ({"GIFTPAD_PORT": "eighty"}, "GIFTPAD_PORT"),
        ({"GIFTPAD_PORT": "70000"}, "65535"),
        ({"GIFTPAD_DATABASE_URL": "postgresql://x"}, "GIFTPAD_DATABASE_OWNER_URL"),
        ({"GIFTPAD_PUBLIC_URL": "pay.example"}, "https://"),
        ({"GIFTPAD_TRUSTED_PROXIES": "-1"}, "GIFTPAD_TRUSTED_PROXIES"),
        ({"GIFTPAD_WEB_THREADS": "1"}, "2 is the least"),
        ({"GIFTPAD_TEST_CLOCK": "1"}, "GIFTPAD_TEST_CLOCK"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(environment, word):
    with pytest.raises(SettingsError, match=word):
        read_settings(environment)


def test_a_sealed_value_opens_with_its_key_at_its_place_only():
    key = seal.new_key()
    sealed = seal.seal(key, b"secret", "here")
    assert seal.open_sealed(key, sealed, "here") == b"secret"
    for other_key, place in ((seal.new_key(), "here"), (key, "there")):
        with pytest.raises(seal.SealBroken):
            seal.open_sealed(other_key, sealed, place)
    with pytest.raises(seal.SealBroken):
        seal.open_sealed(key, sealed[:-1] + bytes([sealed[-1] ^ 1]), "here")


def test_a_date_ends_at_the_next_midnight_of_its_zone():
    day = date(2026, 11, 30)
    assert clock.end_of(day, "Asia/Tokyo") == datetime(2026, 11, 30, 15, tzinfo=UTC)
    assert clock.local_date(datetime(2026, 11, 30, 14, 59, tzinfo=UTC), "Asia/Tokyo") == day


def test_ids_grow_with_time_and_know_theirs():
    ids = [new_id() for _ in range(100)]
    assert ids == sorted(ids)
    assert first_id_at(instant_of(ids[0])) <= ids[0]


def test_files_are_whole_and_go(tmp_path):
    store = FileStore(tmp_path.as_uri())
    tenant, file_id = uuid4(), uuid4()
    store.write(tenant, "print", file_id, data=b"one")
    store.write(tenant, "print", file_id, data=b"two")
    assert store.read(tenant, "print", file_id) == b"two"
    store.delete(tenant, "print", file_id)
    store.delete(tenant, "print", file_id)
    assert not store.exists(tenant, "print", file_id)


def test_secrets_do_not_reach_a_log():
    line = {
        "event": "scan HTTP://X/Q/0ABCD01234567ABCDEFGHJKMNPQRSTVWXYZ failed",
        "password": "hunter2",
        "note": "typed 7K3Q-9MXW-2D8F-RT5A",
        "nested": {"token": "t", "url": "postgresql://app:pw@host/db"},
        "header": "Bearer eyJhbGciOiJSUzI1NiJ9.eyJzdWIiOiIxIn0.abc",
    }
    text = str(redact_event(None, "info", line))
    for secret in ("0ABCD0123", "hunter2", "9MXW", "'t'", ":pw@", "eyJzdWIi"):
        assert secret not in text


def test_amounts_and_languages():
    assert format_amount(1000, "JPY", "ja") == "1,000円"
    assert format_amount(1000, "JPY", "en") == "¥1,000"
    assert choose_locale(["fr", "ja-JP"]) == "ja"
    assert choose_locale(["fr"]) == "en"
    assert translate("There is {no} such", "en", no="none") == "There is none such"
