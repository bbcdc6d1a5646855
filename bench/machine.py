"""The machine a bench runs on, and what a product's processes take of it, as Linux counts it."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PROC = Path("/proc")
TICK_S = 1 / os.sysconf("SC_CLK_TCK")
KB = 1024
MB = 1e6
PPID, UTIME, CSTIME = 1, 11, 15
"""Fields of /proc/<pid>/stat, counted from the state, which follows the name in brackets."""


def _stat(pid: int) -> list[str] | None:
    try:
        text = (PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    return text[text.rindex(")") + 2 :].split()


def family(root_pid: int) -> list[int]:
    """Return a process and all that descend from it, as they live now."""
    children: dict[int, list[int]] = {}
    for entry in PROC.iterdir():
        if entry.name.isdigit() and (stat := _stat(int(entry.name))) is not None:
            children.setdefault(int(stat[PPID]), []).append(int(entry.name))
    found = [root_pid]
    for pid in found:  # grows while it is read: the children's children follow
        found += children.get(pid, [])
    return found


def cpu_seconds(root_pid: int) -> float:
    """Return the CPU time that a family has used so far, its ended and awaited members included."""
    total = 0
    for pid in family(root_pid):
        if (stat := _stat(pid)) is not None:
            total += sum(int(ticks) for ticks in stat[UTIME : CSTIME + 1])
    return total * TICK_S


def memory_mb(root_pid: int) -> float:
    """Return the most that a family has held in memory; what n processes share counts 1/n in each.

    What each holds now, and by how much each has held more before: a little too much rather than
    too little, for they need not have done so at once.
    """
    total_kb = 0
    for pid in family(root_pid):
        try:
            now = _kilobytes(PROC / str(pid) / "smaps_rollup")
            held = _kilobytes(PROC / str(pid) / "status")
        except OSError:
            continue
        total_kb += now.get("Pss", 0) + held.get("VmHWM", 0) - held.get("VmRSS", 0)
    return total_kb * KB / MB


def _kilobytes(path: Path) -> dict[str, int]:
    lines = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
    return {line[0].rstrip(":"): int(line[1]) for line in lines if line[2:] == ["kB"]}


@dataclass
class Meter:
    """What a family takes while something is done: CPU between two readings, the most memory."""

    root_pid: int
    parts: Mapping[str, int] = field(default_factory=dict)
    """Members of the family to be told apart, by name, each with all that descends from it."""
    cpu_s: float = 0.0
    cpu_of: dict[str, float] = field(default_factory=dict)
    memory_mb: float = 0.0

    def __post_init__(self) -> None:
        self._began_s = self._seconds()

    def _seconds(self) -> dict[str, float]:
        pids = {"": self.root_pid} | dict(self.parts)
        return {name: cpu_seconds(pid) for name, pid in pids.items()}

    def read(self) -> None:
        """Take a reading."""
        now = self._seconds()
        used = {name: now[name] - began for name, began in self._began_s.items()}
        self.cpu_s = used.pop("")
        self.cpu_of = used
        self.memory_mb = max(self.memory_mb, memory_mb(self.root_pid))

    def cpu_us(self, count: int) -> float:
        """Return the CPU time in µs that each of ``count`` operations cost."""
        return self.cpu_s / count * 1e6 if count else 0.0

    def said(self, count: int) -> str:
        """Return what each part took of it, in words, the largest first."""
        order = sorted(self.cpu_of.items(), key=lambda part: -part[1])
        return ", ".join(
            f"{name} {seconds / max(count, 1) * 1e6:.0f} µs" for name, seconds in order
        )


def describe() -> dict[str, object]:
    """Return what this machine is: processor, cores, memory, system, and when it was asked."""
    model = platform.processor()
    for line in (PROC / "cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            model = line.partition(":")[2].strip()
            break
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return {
        "processor": model,
        "cores": len(os.sched_getaffinity(0)),
        "memory_gb": round(memory / 1e9, 1),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }
