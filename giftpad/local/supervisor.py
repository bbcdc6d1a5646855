"""The one process that runs all others: start in order, watch, start again, stop in order.

Hides: signals, back-off, adopted orphans, what is written down for ``status``.
"""

from __future__ import annotations

import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import IO, NoReturn

from giftpad.kernel.config import Settings
from giftpad.local.call import CALL, DONE
from giftpad.local.certificates import CertificateFolder
from giftpad.local.errors import LocalError, PartFailed, PortTaken
from giftpad.local.home import Home
from giftpad.local.lan import describe_lan, prepare_lan
from giftpad.local.parts import (
    ROOT,
    WEB,
    WEB_LAN,
    Arrangement,
    Part,
    Step,
    child_environment,
    clear_programs,
    fit_for_children,
    programs,
)
from giftpad.local.postgres import EmbeddedPostgres, is_free
from giftpad.local.processes import (
    adopt_orphans,
    last_lines,
    reap_adopted,
    spawn,
    wait_until,
)
from giftpad.local.redis import EmbeddedRedis
from giftpad.local.renewal import Renewals
from giftpad.local.sinks import SinkProgram, open_sinks, wants_sinks
from giftpad.local.watched import Watched

READY_TIMEOUT_S = 60
TICK_S = 1.0
TICK_WHILE_STARTING_S = 0.1
BACK_OFF_FIRST_S = 0.25
BACK_OFF_MAX_S = 15.0
DOUBLINGS_MAX = 10
STEADY_S = 10.0
"""A part that has run this long is started again at once when it dies."""
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)

Say = Callable[[str], None]


class Supervisor:
    """A whole Giftpad, as long as this process lives."""

    def __init__(self, settings: Settings, arrangement: Arrangement, say: Say) -> None:
        self.home = Home(settings.home)
        self.wants_sinks = bool(arrangement.sinks) and wants_sinks(settings)
        self.sinks: SinkProgram | None = None
        self.settings = fit_for_children(settings, self.home)
        self.arrangement = arrangement
        self.say = _unfailing(say)
        self.watched: list[Watched] = []
        self.renewals = Renewals(home=self.home, say=self.say)
        self.began_at = time.time()
        self.is_ready = False
        self.is_published = False

    def run(self, on_ready: Callable[[], None]) -> None:
        """Bring everything up, keep it up until told to end, then end it in order.

        Raises: LocalError.
        """
        with self.home.locked() as left_behind, _stop_signals_interrupt():
            adopt_orphans()
            try:
                if left_behind is not None:
                    self.say(
                        f"The last run (process {left_behind.pid}) was cut off; "
                        "what it left behind is cleared first."
                    )
                    clear_programs(self.home)
                self._start()
                on_ready()
                self._watch()
            except KeyboardInterrupt:
                self.say("Stopping.")
            finally:
                _ignore_stop_signals()
                self._stop()

    def _start(self) -> None:
        self.home.restart_file.unlink(missing_ok=True)  # nobody waits for its answer any more
        certificates = self._prepare_front()
        self._start_servers()
        if self.wants_sinks:
            self.sinks = open_sinks(self.home, self.settings, self.arrangement.sinks)
            self.settings = self.sinks.sinks.apply(self.settings, self.home)
        if self.arrangement.steps:
            self._run_steps(self.arrangement.steps)
        for program in programs(self.home, self.settings, self.arrangement):
            if program.name in (WEB, WEB_LAN):  # first: the workers would only slow them down
                with self._timed(program.name):
                    self._await(self._launch(program))
            else:
                self._launch(program)
        if self.sinks is not None:
            self._launch(self.sinks)
        self.is_ready = True
        self._publish()
        seconds = time.time() - self.began_at
        self.say(f"Giftpad is up at {self.settings.public_address} ({seconds:.1f} s).")
        if self.sinks is not None:
            self.say(f"Mail and SMS stay on this machine, at {self.sinks.sinks.page}")
        if certificates is not None:
            self.say(describe_lan(self.settings, certificates))

    def _prepare_front(self) -> CertificateFolder | None:
        """Find out what could stop a web server before anything is started."""
        settings = self.settings
        certificates = prepare_lan(settings) if settings.lan_address else None
        check_port(settings)
        if certificates is not None and not is_free(settings.lan_port, settings.lan_address):
            raise PortTaken(port=settings.lan_port, variable="--lan-port")
        return certificates

    def _start_servers(self) -> None:
        if self.settings.is_embedded:
            with self._timed("PostgreSQL"):
                postgres = EmbeddedPostgres(self.home)
                watched = self._add(postgres)
                self.settings = postgres.start().apply(self.settings)
                self._note_start(watched, is_up=True)
        if not self.settings.redis_url:
            with self._timed("Redis"):
                queue = EmbeddedRedis(self.home)
                watched = self._add(queue)
                self.settings = replace(self.settings, redis_url=queue.start())
                self._note_start(watched, is_up=True)

    @contextlib.contextmanager
    def _timed(self, what: str) -> Iterator[None]:
        begun = time.monotonic()
        yield
        self.say(f"  {what:<16} {time.monotonic() - begun:5.1f} s")

    def _run_steps(self, steps: Sequence[Step]) -> None:
        path = self.home.open_log("steps")
        with path.open("ab") as log:
            process = spawn(
                [sys.executable, "-c", CALL, *(step.target for step in steps)],
                environment=child_environment(self.settings),
                output=subprocess.PIPE,
                errors=log,
                cwd=ROOT,
            )
        assert process.stdout is not None
        with process, contextlib.ExitStack() as cut_off:
            cut_off.callback(process.terminate)
            for step in steps:
                with self._timed(step.name):
                    if not self._show_until_done(process.stdout):
                        raise PartFailed(
                            part=f"The step {step.name!r}",
                            reason=_how_it_ended(process.wait()),
                            log_tail=last_lines(path),
                        )
            process.wait()

    def _show_until_done(self, output: IO[bytes]) -> bool:
        for line in output:
            text = line.decode(errors="replace").rstrip("\n")
            if text == DONE:
                return True
            self.say(text)
        return False

    def _add(self, part: Part) -> Watched:
        watched = Watched(part=part)
        self.watched.append(watched)
        return watched

    def _launch(self, part: Part) -> Watched:
        watched = self._add(part)
        part.launch()
        self._note_start(watched)
        return watched

    def _note_start(self, watched: Watched, *, is_up: bool = False) -> None:
        watched.note_start(is_up=is_up)
        self._publish()

    def _await(self, watched: Watched) -> None:
        wait_until(watched.has_settled, timeout_s=READY_TIMEOUT_S)
        if not watched.is_up:
            code = watched.return_code
            reason = "it did not answer in time." if code is None else _how_it_ended(code)
            log_tail = last_lines(watched.part.log)
            raise PartFailed(part=watched.part.name, reason=reason, log_tail=log_tail)

    def _watch(self) -> NoReturn:
        while True:
            for watched in self.watched:
                self._look_after(watched)
            if self.renewals.step(self.watched) or not self.is_published:
                self._publish()
            self.home.turn_logs()
            own = {each.part.process.pid for each in self.watched if each.part.process}
            reap_adopted(own.union(self.renewals.pids()))
            busy = self.renewals.is_busy or any(not each.is_up for each in self.watched)
            signal.sigtimedwait({signal.SIGCHLD}, TICK_WHILE_STARTING_S if busy else TICK_S)

    def _look_after(self, watched: Watched) -> None:
        if watched.start_again_at is not None:
            if time.monotonic() >= watched.start_again_at:
                self._start_again(watched)
        elif (return_code := watched.return_code) is not None:
            self._note_end(watched, _how_it_ended(return_code))
        elif watched.has_come_up():
            if watched.restarts:
                self.say(f"{watched.part.name} is up again.")
            self._publish()

    def _note_end(self, watched: Watched, how: str) -> None:
        steady = time.time() - watched.started_at >= STEADY_S
        watched.failures_in_row = 0 if steady else watched.failures_in_row + 1
        doublings = min(watched.failures_in_row, DOUBLINGS_MAX)
        delay_s = min(BACK_OFF_MAX_S, BACK_OFF_FIRST_S * (2**doublings - 1))
        watched.start_again_at = time.monotonic() + delay_s
        watched.is_up = False
        self.say(f"{watched.part.name}: {how} It is started again; see {watched.part.log}.")
        self._publish()

    def _start_again(self, watched: Watched) -> None:
        try:
            watched.part.clear_remains()
            watched.part.launch()
        except (OSError, LocalError) as error:  # a full disk, for example: it may not stay so
            self._note_end(watched, f"it cannot be started ({error}).")
            return
        watched.restarts += 1
        self._note_start(watched)

    def _stop(self) -> None:
        self.renewals.stop()
        for watched in self.watched:
            watched.part.ask_to_stop()
        for watched in reversed(self.watched):
            watched.part.stop()
        if self.is_ready:
            self.say("Giftpad has stopped.")
        self.home.state_file.unlink(missing_ok=True)

    def _publish(self) -> None:
        state = {
            "is_ready": self.is_ready,
            "began_at": self.began_at,
            "address": self.settings.public_address,
            "lan_address": self.settings.lan_address,
            "lan_port": self.settings.lan_port,
            "parts": [watched.as_state() for watched in self.watched],
            "restart": self.renewals.state,
            "sinks": self.sinks.sinks.as_state() if self.sinks is not None else None,
        }
        try:
            self.home.write_state(state)
            self.is_published = True
        except OSError:  # on a full disk what runs goes on; it is published once there is space
            self.is_published = False


def check_port(settings: Settings) -> None:
    """Refuse a port that another program listens on.

    Raises: PortTaken.
    """
    if not is_free(settings.port):
        raise PortTaken(port=settings.port, variable="GIFTPAD_PORT")


def _unfailing(say: Say) -> Say:
    def say_if_possible(text: str) -> None:
        with contextlib.suppress(OSError):  # a log on a full disk must not end what it tells of
            say(text)

    return say_if_possible


@contextlib.contextmanager
def _stop_signals_interrupt() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in STOP_SIGNALS}
    for number in STOP_SIGNALS:
        signal.signal(number, signal.default_int_handler)
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        for number, handler in before.items():
            signal.signal(number, handler)


def _ignore_stop_signals() -> None:
    for number in STOP_SIGNALS:
        signal.signal(number, signal.SIG_IGN)


def _how_it_ended(return_code: int) -> str:
    if return_code < 0:
        return f"it was killed by signal {-return_code}."
    return f"it ended with code {return_code}."
