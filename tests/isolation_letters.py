"""What a tenant's letters to many leave in its tables."""

from __future__ import annotations

from dataclasses import replace

from giftpad import messaging
from giftpad.kernel.work import Work
from giftpad.messaging.commands import bulk, finish_sending, start_sending
from giftpad.messaging.rules.sending import taken
from giftpad.tenancy import PackFolder, Problems


def send_to_many(work: Work, message: messaging.Message) -> None:
    """Send a letter in a run, word it anew, and leave an address alone."""
    run_id = messaging.open_run(work, name="Gifts")
    messaging.send_many(work, [replace(message, is_bulk=True, run_id=run_id)] * 2)
    line = bulk.take_line(work, "bulk-mail")
    assert line is not None
    held = bulk.hold_bulk(work, "bulk-mail", line)
    parcel = start_sending(work, held.ids[0])
    assert parcel is not None
    finish_sending(work, parcel, taken("1"))
    folder = PackFolder(name="home", files={"mail.toml": b'sender = "gifts@aoba.example"\n'})
    messaging.apply_section(work, messaging.read_section(folder, ("mail.toml",), Problems()))
    found = messaging.find_stop(messaging.stop_token(work.tenant_id, "mail", "no@aoba.example"))
    assert found is not None
    messaging.suppress(work, found[1])
