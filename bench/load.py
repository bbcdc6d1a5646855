"""A load generator that costs little: one process, raw sockets, one poll for all connections.

Hides: sockets, keep-alive, reading answers.  It shares the machine with what it measures, so a
request is a few joined bytes and of an answer only status and length are read.

Closed loop (``run_closed``): each connection asks again as soon as it has its answer.  Open loop
(``run_open``): requests are due at fixed instants whatever the answers do, and a latency counts
from the instant at which its request was due, not from when a connection was free for it.
"""

from __future__ import annotations

import gc
import select
import socket
import time
from array import array
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from bench.rows import quantile

HOST = "127.0.0.1"
RECEIVE_MAX = 65536
HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length: "
STATUS = slice(9, 12)
DRAIN_S = 10.0
POLL_S = 0.2
BROKEN = 0
"""The status of a request whose connection broke before its answer was there."""
UNSENT = -1
"""The status of a request that was due and found no free connection in time."""

Keep = Callable[[bytes], object]


@dataclass
class Load:
    """What a run of the generator saw; latencies in seconds, by status."""

    seconds: float = 0.0
    latencies: dict[int, array[float]] = field(default_factory=dict)
    own_cpu_s: float = 0.0

    def count(self, *statuses: int) -> int:
        """Return how many requests ended with one of these statuses; without any, all of them."""
        chosen = statuses or tuple(self.latencies)
        return sum(len(self.latencies.get(status, ())) for status in chosen)

    def rate(self, *statuses: int) -> float:
        """Return how many a second ended so."""
        return self.count(*statuses) / self.seconds

    def quantile_ms(self, share: float, *statuses: int) -> float:
        """Return the time in ms that ``share`` of these stayed within."""
        chosen = statuses or tuple(self.latencies)
        both = [s for status in chosen for s in self.latencies.get(status, ())]
        return quantile(sorted(both), share)

    def by_status(self) -> Counter[int]:
        """Return how many ended with each status."""
        return Counter({status: len(times) for status, times in self.latencies.items()})

    def note(self, status: int, latency_s: float) -> None:
        """Write one request down."""
        if status not in self.latencies:
            self.latencies[status] = array("d")
        self.latencies[status].append(latency_s)


class _Connection:
    """One socket, and the request that is out on it."""

    __slots__ = ("began", "buffer", "is_busy", "port", "socket", "source", "waits_for")

    def __init__(self, port: int, source: str = "") -> None:
        self.port = port
        self.source = source
        self.is_busy = False
        self.began = 0.0
        self.open()

    def open(self) -> None:
        """Connect, which on the loopback address is immediate."""
        self.buffer = b""
        self.waits_for = 0
        self.socket = socket.create_connection(
            (HOST, self.port), timeout=5, source_address=(self.source, 0) if self.source else None
        )
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.settimeout(0)

    def send(self, request: bytes, began: float) -> None:
        """Send a request; it is small enough to fit the socket's buffer at once."""
        self.began = began
        self.is_busy = True
        sent = self.socket.send(request)
        while sent < len(request):  # a full buffer: wait for it, which happens in no measured run
            select.select([], [self.socket], [], 1)
            sent += self.socket.send(request[sent:])

    def receive(self) -> bytes | None:
        """Return a whole answer, or None while it is not there yet.

        Raises: ConnectionError if the connection ends first.
        """
        data = self.socket.recv(RECEIVE_MAX)
        if not data:
            raise ConnectionResetError
        if self.buffer:
            data = self.buffer + data
        if not self.waits_for:
            end = data.find(HEAD_END)
            if end < 0:
                self.buffer = data
                return None
            at = data.find(LENGTH, 0, end)
            if at < 0:  # other servers write it in other letters
                at = data[:end].lower().find(LENGTH)
            length = int(data[at + len(LENGTH) : data.find(b"\r", at)]) if at >= 0 else 0
            self.waits_for = end + len(HEAD_END) + length
        if len(data) < self.waits_for:
            self.buffer = data
            return None
        self.buffer, self.waits_for, self.is_busy = b"", 0, False
        return data


class _Pool:
    """All connections of a run, and who has something to read."""

    def __init__(self, port: int, count: int, sources: Sequence[str] = ("",)) -> None:
        self.poll = select.epoll()
        self.by_number: dict[int, _Connection] = {}
        for number in range(count):
            self.add(_Connection(port, sources[number % len(sources)]))

    def add(self, connection: _Connection) -> None:
        self.by_number[connection.socket.fileno()] = connection
        self.poll.register(connection.socket.fileno(), select.EPOLLIN)

    def renew(self, connection: _Connection) -> None:
        """Replace a connection that broke."""
        del self.by_number[connection.socket.fileno()]
        connection.socket.close()
        connection.is_busy = False
        connection.open()
        self.add(connection)

    def close(self) -> None:
        for connection in self.by_number.values():
            connection.socket.close()
        self.poll.close()


def _take(pool: _Pool, connection: _Connection, load: Load, keep: Keep | None) -> bool:
    """Read what came in on a connection; True if it is free for another request now."""
    try:
        answer = connection.receive()
    except OSError:
        if connection.is_busy:
            load.note(BROKEN, time.perf_counter() - connection.began)
        pool.renew(connection)
        return True
    if answer is None:
        return False
    status = int(answer[STATUS])
    load.note(status, time.perf_counter() - connection.began)
    if keep is not None and status < 300:  # noqa: PLR2004 - HTTP's own number
        keep(answer)
    return True


def run_closed(
    port: int,
    requests: Iterator[bytes],
    *,
    seconds: float,
    connections: int = 16,
    keep: Keep | None = None,
) -> Load:
    """Let each connection ask again as soon as it is answered, for ``seconds``; then drain.

    ``keep`` gets the whole of every answer below 300.  ``Load.seconds`` runs until the last
    answer; what was asked before the end is waited for, up to ``DRAIN_S``.
    """
    load, pool = Load(), _Pool(port, connections)
    gc.collect()
    gc.disable()  # a collection of the generator's would be a latency of the product's
    cpu, began = time.process_time(), time.perf_counter()
    end = began + seconds
    try:
        for connection in pool.by_number.values():
            connection.send(next(requests), time.perf_counter())
        busy = connections
        while busy and time.perf_counter() < end + DRAIN_S:
            for number, _ in pool.poll.poll(POLL_S):
                connection = pool.by_number[number]
                was_busy = connection.is_busy  # one that is done may still be hung up on
                if not (_take(pool, connection, load, keep) and was_busy):
                    continue
                now = time.perf_counter()
                if now < end:
                    connection.send(next(requests), now)
                else:
                    busy -= 1
    finally:
        gc.enable()
        _note_unanswered(pool, load)
        load.seconds, load.own_cpu_s = time.perf_counter() - began, time.process_time() - cpu
        pool.close()
    return load


def _note_unanswered(pool: _Pool, load: Load) -> None:
    now = time.perf_counter()
    for connection in pool.by_number.values():
        if connection.is_busy:
            load.note(BROKEN, now - connection.began)


def run_open(
    port: int,
    requests: Iterator[bytes],
    *,
    rate: float,
    seconds: float,
    connections: int = 256,
    patience_s: float = 5.0,
    keep: Keep | None = None,
    sources: Sequence[str] = ("",),
) -> Load:
    """Ask ``rate`` times a second at fixed instants, whatever the answers do, for ``seconds``.

    Without a free connection a request waits its turn; after ``patience_s`` it counts as
    ``UNSENT``.  Latencies count from the planned instant.  ``sources`` are the loopback addresses
    that the connections come from, one after the other.
    """
    load, pool = Load(), _Pool(port, connections, sources)
    due: deque[float] = deque()
    count, asked = round(rate * seconds), 0
    free = list(pool.by_number.values())
    gc.collect()
    gc.disable()
    cpu, began = time.process_time(), time.perf_counter()
    planned, end = began, began + seconds
    try:
        while asked < count or due or len(free) < connections:
            now = time.perf_counter()
            if now > end + DRAIN_S:
                break
            while planned <= now and asked < count:
                due.append(planned)
                asked += 1
                planned = began + asked / rate  # a sum of steps would drift
            while due and free:
                instant = due.popleft()
                if now - instant > patience_s:
                    load.note(UNSENT, now - instant)
                else:
                    _send(pool, free.pop(), next(requests), instant)
            wait = max(0.0, min(planned - time.perf_counter(), POLL_S)) if asked < count else POLL_S
            for number, _ in pool.poll.poll(wait):
                connection = pool.by_number[number]
                was_busy = connection.is_busy
                if _take(pool, connection, load, keep) and was_busy:
                    free.append(connection)
    finally:
        gc.enable()
        _note_unanswered(pool, load)
        for instant in due:
            load.note(UNSENT, time.perf_counter() - instant)
        load.seconds, load.own_cpu_s = time.perf_counter() - began, time.process_time() - cpu
        pool.close()
    return load


def _send(pool: _Pool, connection: _Connection, request: bytes, instant: float) -> None:
    """Send; a connection that the server has closed meanwhile is opened anew first."""
    try:
        connection.send(request, instant)
    except OSError:
        pool.renew(connection)
        connection.send(request, instant)
