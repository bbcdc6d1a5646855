"""A proxy of our own between two ends of a TCP connection, that hurts what passes through it.

It listens on the loopback address and knows nothing of what it carries.  ``hurt`` holds for the
connections there are and for those that come, until the next ``hurt``.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import socket
import struct
import threading
from dataclasses import dataclass

READ_BYTES = 65536
ABORT = struct.pack("ii", 1, 0)
"""SO_LINGER that turns a close into a reset."""


@dataclass(frozen=True, kw_only=True)
class Hurt:
    """What happens to what passes; nothing by default.

    ``way`` is "asks" or "answers"; ``chance`` is that of each piece to be hurt.
    """

    name: str = "nothing"
    way: str = "answers"
    chance: float = 1.0
    delay_s: float = 0.0
    cut_after: int | None = None
    """Bytes of a piece that still pass; then both ends get a reset."""
    swallows: bool = False
    """Half open: the connection stays, and nothing comes out of it until this hurt is over."""
    slow_bytes: int = 0
    """Pass a piece so many bytes at a time, a hundred times a second."""


WHOLE = Hurt()


class Proxy:
    """One listening port in front of one server."""

    def __init__(self, target_port: int, *, seed: int = 0) -> None:
        self.target_port = target_port
        self.hurt_now = WHOLE
        self.hurts = 0
        self.chance = random.Random(seed)
        self.loop = asyncio.new_event_loop()
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port: int = self.socket.getsockname()[1]
        self.changed = asyncio.Event()
        self.tasks: set[asyncio.Task[None]] = set()
        self.thread = threading.Thread(target=self._run, name=f"proxy-{self.port}", daemon=True)
        self.thread.start()

    def hurt(self, hurt: Hurt) -> None:
        """Hurt what passes from now on; ``WHOLE`` ends it."""
        self.loop.call_soon_threadsafe(self._set, hurt)

    def _set(self, hurt: Hurt) -> None:
        self.hurt_now = hurt
        self.changed.set()
        self.changed = asyncio.Event()

    def close(self) -> None:
        """End every connection and the proxy; a second time does nothing."""
        if self.thread.is_alive():
            self.loop.call_soon_threadsafe(self.loop.stop)
            self.thread.join()

    def _run(self) -> None:
        asyncio.set_event_loop(self.loop)
        server = self.loop.run_until_complete(asyncio.start_server(self._serve, sock=self.socket))
        self.loop.run_forever()
        server.close()
        for task in list(self.tasks):
            task.cancel()
        self.loop.run_until_complete(asyncio.gather(*self.tasks, return_exceptions=True))
        self.loop.close()

    async def _serve(self, asks: asyncio.StreamReader, back: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        writers = [back]
        try:
            answers, forth = await asyncio.open_connection("127.0.0.1", self.target_port)
            writers.append(forth)
            ways = (self._pass(asks, forth, "asks"), self._pass(answers, back, "answers"))
            pumps = [asyncio.ensure_future(way) for way in ways]
            done, left = await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
            for pump in left:
                pump.cancel()
            await asyncio.gather(*done, *left, return_exceptions=True)
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self.tasks.discard(task)
            for writer in writers:
                _reset(writer)

    async def _pass(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, way: str
    ) -> None:
        while data := await source.read(READ_BYTES):
            hurt = self.hurt_now
            if hurt is WHOLE or hurt.way != way or self.chance.random() >= hurt.chance:
                target.write(data)
                await target.drain()
            elif not await self._pass_hurt(data, target, hurt):
                return

    async def _pass_hurt(self, data: bytes, target: asyncio.StreamWriter, hurt: Hurt) -> bool:
        """Pass one piece badly; tells whether the connection is still there."""
        self.hurts += 1
        if hurt.swallows:
            await self.changed.wait()
            return False
        if hurt.delay_s:
            await asyncio.sleep(hurt.delay_s)
        if hurt.cut_after is not None:
            target.write(data[: hurt.cut_after])
            with contextlib.suppress(OSError):
                await target.drain()
            return False
        step = hurt.slow_bytes or len(data)
        for start in range(0, len(data), step):
            target.write(data[start : start + step])
            await target.drain()
            if hurt.slow_bytes:
                await asyncio.sleep(0.01)
        return True


def _reset(writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(OSError):
        own = writer.get_extra_info("socket")
        own.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, ABORT)
    writer.transport.abort()
