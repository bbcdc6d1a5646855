"""Bring a Giftpad on this machine up and down, and wipe it.

Hides: the process that stays behind after ``--detach`` and how it tells that it is ready.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, TextIO

from giftpad.kernel.config import Settings
from giftpad.local.errors import (
    LocalError,
    NotConfirmed,
    NothingEmbedded,
    NotRestarted,
    NotRunning,
    NotStopped,
    OtherSystem,
    PartFailed,
    PartUnknown,
)
from giftpad.local.home import Home
from giftpad.local.parts import Arrangement, clear_programs
from giftpad.local.postgres import EmbeddedPostgres
from giftpad.local.processes import last_lines, send, wait_until
from giftpad.local.redis import EmbeddedRedis
from giftpad.local.renewal import READY_TIMEOUT_S, parts_named, write_request
from giftpad.local.sinks import Sinks
from giftpad.local.supervisor import Say, Supervisor, check_port

STOP_TIMEOUT_S = 90
RESTART_SLACK_S = 10
RESTART_POLL_S = 0.1
LOG_NAME = "supervisor"


def say_plainly(text: str) -> None:
    """Print one line at once."""
    print(text, flush=True)  # noqa: T201 - the terminal is what this is for


def up(
    settings: Settings,
    arrangement: Arrangement,
    *,
    detach: bool = False,
    say: Say = say_plainly,
) -> None:
    """Run a whole Giftpad until told to end; detached, return once it serves.

    Raises: AlreadyRunning, PortTaken, DiskFull, FolderNotUsable, PartFailed, ServerMissing,
        KeyMissing, OtherSystem, NoLanAddress, LanAddressUnknown.
    """
    if sys.platform != "linux":
        raise OtherSystem(system=sys.platform)
    home = Home(settings.home)
    if not home.exists:
        check_port(settings)  # here too, so that a start that is refused leaves no folder
    home.prepare(with_kek=settings.is_embedded)
    if detach:
        _up_behind(home, settings, arrangement, say)
    else:
        Supervisor(settings, arrangement, say).run(on_ready=lambda: None)


def _up_behind(home: Home, settings: Settings, arrangement: Arrangement, say: Say) -> None:
    sys.stdout.flush()
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.close(reading)
        os._exit(_stay_behind(home, settings, arrangement, os.fdopen(writing, "w")))
    os.close(writing)
    with os.fdopen(reading) as messages:
        for line in messages:
            kind, content = json.loads(line)
            if kind == "said":
                say(content)
            elif kind == "failed":
                os.waitpid(pid, 0)
                raise _error_named(content["code"])(**content["params"])
            else:
                return
    log_tail = last_lines(home.logs / f"{LOG_NAME}.log")
    raise PartFailed(part="Giftpad", reason="its supervisor ended.", log_tail=log_tail)


def _stay_behind(home: Home, settings: Settings, arrangement: Arrangement, messages: TextIO) -> int:
    os.setsid()
    log = os.open(home.open_log(LOG_NAME), os.O_WRONLY | os.O_APPEND)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for standard, file in ((0, nothing), (1, log), (2, log)):
        os.dup2(file, standard)
    say = _say_twice(messages)
    try:
        Supervisor(settings, arrangement, say).run(on_ready=lambda: _tell(messages, "ready", ""))
    except LocalError as error:
        say_plainly(error.message)
        _tell(messages, "failed", {"code": error.code, "params": error.params})
        return error.exit_code
    except BaseException:  # noqa: BLE001 - the edge of a process: nobody above could report it
        sys.excepthook(*sys.exc_info())
        return 1
    return 0


def _say_twice(messages: TextIO) -> Say:
    def say(text: str) -> None:
        say_plainly(text)
        _tell(messages, "said", text)

    return say


def _tell(messages: TextIO, kind: str, content: object) -> None:
    if messages.closed:
        return
    try:
        messages.write(json.dumps([kind, content]) + "\n")
        messages.flush()
        if kind == "ready":  # nobody listens from here on
            messages.close()
    except BrokenPipeError:  # whoever typed the command did not wait; it goes on all the same
        with contextlib.suppress(BrokenPipeError):
            messages.close()


def _error_named(code: str) -> type[LocalError]:
    return next((each for each in LocalError.__subclasses__() if each.code == code), PartFailed)


def down(settings: Settings, *, say: Say = say_plainly) -> None:
    """Stop the Giftpad of this data folder, in order, and wait until it has ended.

    Raises: NotRunning, NotStopped, FolderNotUsable.
    """
    home = Home(settings.home)
    home.check()
    holder = home.holder()
    if home.is_locked and holder is not None:
        send([holder.pid], signal.SIGTERM)
        if not wait_until(lambda: not home.is_locked, timeout_s=STOP_TIMEOUT_S):
            raise NotStopped(pid=holder.pid, waited_s=STOP_TIMEOUT_S, logs=str(home.logs))
        say("Giftpad has stopped.")
    elif home.exists and holder is not None:
        with home.locked():
            _clear_all(home)
            home.state_file.unlink(missing_ok=True)
        say("Giftpad had been cut off; what it left behind is stopped now.")
    else:
        raise NotRunning(home=str(home.path))


def restart(settings: Settings, names: Sequence[str] = (), *, say: Say = say_plainly) -> None:
    """Replace programs of a running Giftpad by fresh ones, one after the other, web first.

    A fresh program works before the old one is told to end, and the old one finishes what it has
    begun.  ``names`` are those of ``status``, or ``jobs`` for all its workers; none means all
    programs.  Returns when the last fresh one works.
    Raises: NotRunning, PartUnknown, NotRestarted, FolderNotUsable.
    """
    home = Home(settings.home)
    home.check()
    published = home.read_state()
    if not (home.exists and home.is_locked and published.get("is_ready")):
        raise NotRunning(home=str(home.path))
    known = parts_named([part["name"] for part in published["parts"]], [])
    for name in names:
        if not parts_named(known, [name]):
            raise PartUnknown(name=name, known=", ".join(known))
    wanted = parts_named(known, names)
    request_id = secrets.token_hex(8)
    write_request(home, request_id, wanted)

    def outcome() -> dict[str, Any]:
        found = home.read_state().get("restart", {})
        return dict(found) if found.get("id") == request_id and found.get("is_done") else {}

    patience_s = len(wanted) * (READY_TIMEOUT_S + RESTART_SLACK_S)
    if not wait_until(
        lambda: bool(outcome()) or not home.is_locked, timeout_s=patience_s, poll_s=RESTART_POLL_S
    ):
        raise NotRestarted(name=wanted[-1], log=str(home.logs / f"{LOG_NAME}.log"))
    found = outcome()
    if not found:
        raise NotRunning(home=str(home.path))
    if found["failed"]:
        raise NotRestarted(name=found["failed"], log=str(home.logs / f"{found['failed']}.log"))
    say(f"Restarted: {', '.join(wanted)}.")


def _clear_all(home: Home) -> None:
    clear_programs(home)
    EmbeddedRedis(home).clear_remains()
    EmbeddedPostgres(home).clear_remains()


def reset(settings: Settings, *, confirmed: bool, say: Say = say_plainly) -> None:
    """Stop, then remove the embedded database, the queue, the files, the keys and the logs.

    Raises: NothingEmbedded, NotConfirmed, NotStopped, FolderNotUsable.
    """
    home = Home(settings.home)
    if not settings.is_embedded:
        raise NothingEmbedded
    if not confirmed:
        raise NotConfirmed(home=str(home.path))
    home.check()
    if not home.exists:
        say(f"There is nothing in {home.path}.")
        return
    if home.is_locked:
        down(settings, say=say)
    with home.locked():
        _clear_all(home)
        EmbeddedPostgres(home).remove_data()
        home.remove_data()
    say(f"{home.path} is empty now. `giftpad up` begins anew.")


def embedded_settings(settings: Settings) -> Settings:
    """Return the settings that lead to the servers of a running Giftpad of this data folder.

    Its public address is theirs too, so that what a command prints leads where all else does.
    Where all servers are external they are returned as they are.
    Raises: NotRunning, FolderNotUsable.
    """
    if not settings.is_embedded and settings.redis_url:
        return settings
    home = Home(settings.home)
    home.check()
    if not (home.exists and home.is_locked):
        raise NotRunning(home=str(home.path))
    found = replace(
        settings, kek_file=settings.kek_file or str(home.kek), **_lan_of(settings, home)
    )
    if settings.is_embedded:
        found = EmbeddedPostgres(home).urls.apply(found)
    published = home.read_state().get("sinks")
    if published and not (settings.smtp_url or settings.sms_url):
        found = Sinks(**published).apply(found, home)
    return replace(found, redis_url=settings.redis_url or EmbeddedRedis(home).url)


def _lan_of(settings: Settings, home: Home) -> dict[str, Any]:
    published = home.read_state()
    if settings.lan_address or not published.get("lan_address"):
        return {}
    return {name: published[name] for name in ("lan_address", "lan_port")}
