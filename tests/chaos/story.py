"""A run from its beginning to its summary."""

from __future__ import annotations

import json
import platform
import shutil
import tempfile
import time
import traceback
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median
from typing import Any

from bench import ending
from tests.chaos import legs
from tests.chaos.checker import Findings
from tests.chaos.faults import KILLS
from tests.chaos.journal import Journal
from tests.chaos.world import Fault, Run

KILLS_MIN, EACH_MIN, PAYMENTS_MIN, LONG_MINUTES = 100, 10, 50_000, 15
LEGS = ("embedded", "cut", "disk", "standby")
KINDS = (
    *("kill", "client", "redis", "freeze", "connections", "restart", "clock"),
    *("app-pg", "app-redis", "disk", "standby", "failover"),
)
SHORT = {"embedded": 1, "cut": 0, "disk": 0, "standby": 1}
SHORT_BELOW_MINUTES, SHORT_TAKES = 6, "3 to 6 minutes"
REMOVED_WITHIN_S = 10.0


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How much of each leg, and how fast people pay."""

    minutes: float
    seed: int
    rate: float
    legs: tuple[str, ...] = LEGS

    @property
    def is_short(self) -> bool:
        """Whether there is time for some of it only, whatever the number of minutes."""
        return self.minutes < SHORT_BELOW_MINUTES

    @property
    def is_whole(self) -> bool:
        """Whether it owes all that a whole run owes."""
        return self.minutes >= LONG_MINUTES and set(self.played) == set(LEGS)

    @property
    def played(self) -> list[str]:
        """The legs that are to be played."""
        return [name for name in self.legs if self.rounds[name]]

    @property
    def rounds(self) -> dict[str, Any]:
        """How often each leg does what it does: by the minutes that are given."""
        if self.is_short:
            return SHORT
        share = self.minutes / 20
        return {
            "embedded": max(1, round(10 * share)),
            "cut": max(1, round(2 * share)),
            "disk": max(1, round(2 * share)),
            "standby": max(1, round(3 * share)),
        }


def announce(plan: Plan) -> str:
    """Return in one line what will be done, how long that takes, and what is left out."""
    left_out = [name for name in LEGS if name not in plan.played]
    if plan.is_short:
        form, takes = "short form", SHORT_TAKES
    else:
        form = "some legs" if left_out else "all four legs"
        takes = f"up to {plan.minutes:g} minutes" if left_out else f"about {plan.minutes:g} minutes"
    said = f"{form}: {', '.join(plan.played)}; {takes}"
    return f"{said}; left out: {', '.join(left_out)}" if left_out else said


def play(plan: Plan, target: Path, *, say: Callable[[str], None]) -> dict[str, Any]:
    """Run all legs of a plan, write log and summary into ``target``, return the summary.

    A run that is interrupted has no summary, and none of an earlier run lies beside its log.
    """
    target.mkdir(parents=True, exist_ok=True)
    (target / "summary.json").unlink(missing_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="giftpad-chaos-"))
    folder.chmod(0o755)
    begun = time.monotonic()

    def tell(text: str) -> None:
        say(f"{time.monotonic() - begun:7.1f} s  {text}")

    journal = Journal(target / "acknowledged.log")
    run = Run(
        journal=journal,
        found=Findings(),
        seed=plan.seed,
        rate=plan.rate,
        payments_wanted=PAYMENTS_MIN if plan.is_whole else 0,
        folder=folder,
        kept=target,
        say=tell,
    )
    tell(announce(plan))
    tell(f"seed {plan.seed}, {plan.minutes:g} minutes, {plan.rate:g} payments a second at most")
    try:
        for name in plan.played:
            play_leg(run, name, plan.rounds[name])
    finally:
        journal.file.close()
        ending.through(lambda: remove(folder, say=tell))
    summary = summarise(run, plan, time.monotonic() - begun)
    (target / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    return summary


def remove(folder: Path, *, say: Callable[[str], None]) -> None:
    """Delete a run's folder, again while something that is ending still writes into it."""
    deadline = time.monotonic() + REMOVED_WITHIN_S
    shutil.rmtree(folder, ignore_errors=True)
    while folder.exists() and time.monotonic() < deadline:
        time.sleep(0.2)
        shutil.rmtree(folder, ignore_errors=True)
    if folder.exists():
        say(f"not all of {folder} could be removed")


def play_leg(run: Run, name: str, rounds: int) -> None:
    """Play one leg; one that breaks is told, and the next ones are played all the same."""
    run.say(f"{name}: begins; its servers and its Giftpad are started")
    try:
        getattr(legs, name)(run, rounds=rounds)
    except Exception as error:
        if ending.told.is_set():
            raise
        trace = "".join(traceback.format_exception(error))
        run.say(trace)
        run.journal.complain(f"leg {name} broke: {type(error).__name__}: {error}")


def summarise(run: Run, plan: Plan, took_s: float) -> dict[str, Any]:
    """Return the run in numbers."""
    found, journal = run.found, run.journal
    kills = [fault for fault in run.faults if fault.kind == "kill"]
    return {
        "legs": [name for name in plan.played if name not in run.notes],
        "seed": plan.seed,
        "took_s": round(took_s, 1),
        "machine": f"{platform.machine()}, Linux {platform.release()}",
        "faults": len(run.faults),
        "kills": len(kills),
        "by_kind": by_kind(run.faults),
        "acknowledged": {
            kind: journal.counts[kind]
            for kind in ("pay", "void", "refund", "office", "gift", "gift_act")
        },
        "ambiguous": journal.counts["ambiguous"],
        "reads": journal.counts["read"],
        "office_rounds": journal.counts["office rounds"],
        "gifts": {
            name: journal.counts[name]
            for name in ("gift rounds", "gifts claimed", "gifts thanked for")
        }
        | {"letters": found.letters, "letters unknown": found.letters_unknown},
        "slowest_answer_s": round(journal.slowest_s, 1),
        "not_now": dict(journal.statuses.most_common()),
        "refused": dict(journal.refusals.most_common()),
        "wrong": journal.wrong[:50],
        "lost": found.lost,
        "doubled": found.doubled,
        "drift_minor": found.drift_minor,
        "checks": found.checks,
        "check_s": spread(found.check_s),
        "settle_s": [round(seconds, 1) for seconds in found.settle_s],
        "replayed": found.replayed,
        "findings": asdict(found) | {"check_s": None, "settle_s": None},
        "notes": {k: v for k, v in run.notes.items() if k != "callers"},
        "is_clean": is_clean(run),
    }


def is_clean(run: Run) -> bool:
    """Whether something was done and looked at, and all of it held."""
    is_tried = bool(run.faults) and run.found.checks > 0
    return is_tried and run.found.is_clean and not run.journal.wrong


def spread(values: list[float]) -> dict[str, float]:
    """Return median and most of some seconds."""
    if not values:
        return {}
    return {"median": round(median(values), 2), "max": round(max(values), 2)}


def by_kind(faults: list[Fault]) -> dict[str, dict[str, Any]]:
    """Return how often each fault happened, how long the part and the payments were away."""
    groups: dict[str, list[Fault]] = defaultdict(list)
    for fault in faults:
        groups[f"{fault.kind}: {fault.what}"].append(fault)
    return {
        name: {
            "count": len(group),
            "back_s": spread([fault.back_s for fault in group]),
            "pause_s": spread([fault.pause_s for fault in group]),
            "notes": [fault.notes for fault in group if fault.notes],
        }
        for name, group in sorted(groups.items())
    }


def describe(summary: dict[str, Any]) -> str:
    """Return the summary as a table for a person."""
    head = ("TIMES", "BACK median", "max", "PAUSE median", "max")
    lines = [f"{'FAULT':<44}" + "".join(f"{word:>{len(word) + 3}}" for word in head)]
    for name, kind in summary["by_kind"].items():
        back, pause = kind["back_s"], kind["pause_s"]
        lines.append(
            f"{name:<44} {kind['count']:>5}  {back['median']:>9.1f} s {back['max']:>4.1f} s"
            f"   {pause['median']:>10.1f} s {pause['max']:>4.1f} s"
        )
    acknowledged = summary["acknowledged"]
    lines += [
        "",
        f"faults        {summary['faults']}, of them {summary['kills']} kills",
        f"checks        {summary['checks']}, {summary['replayed']} answers asked for again",
        f"acknowledged  {', '.join(f'{count} {kind}' for kind, count in acknowledged.items())}",
        f"gifts         {', '.join(f'{count} {kind}' for kind, count in summary['gifts'].items())}",
        f"ambiguous     {summary['ambiguous']} calls had to be asked again",
        f"slowest       {summary['slowest_answer_s']} s until a definite answer",
        f"lost          {summary['lost']}",
        f"doubled       {summary['doubled']}",
        f"drift         {summary['drift_minor']} yen",
        f"settled in    {summary['settle_s']} s",
    ]
    lines += [f"WRONG         {text}" for text in summary["wrong"]]
    lines += [f"FOUND         {text}" for text in summary["findings"]["differences"][:50]]
    lines.append(judge(summary))
    return "\n".join(lines)


def judge(summary: dict[str, Any]) -> str:
    """Return in one line whether it held, and how much of all that was."""
    played = len(summary["legs"])
    if summary["is_clean"]:
        share = f" ({played} of {len(LEGS)} legs)" if played < len(LEGS) else ""
        return f"All of it held{share}."
    if summary["faults"] and summary["checks"]:
        return "It did not hold."
    return "Nothing was tried and looked at, so nothing is proved."


def shortcomings(summary: dict[str, Any], plan: Plan) -> list[str]:
    """Return what a full run owes and this one did not do; nothing for a short one."""
    if plan.minutes < LONG_MINUTES:
        return []
    by_kind = summary["by_kind"]
    times = {target: by_kind.get(f"kill: {target}", {"count": 0})["count"] for target in KILLS}
    happened = {name.partition(":")[0] for name in by_kind}
    owed = {
        f"{summary['kills']} kills instead of {KILLS_MIN}": summary["kills"] < KILLS_MIN,
        f"{summary['acknowledged']['pay']} payments instead of {PAYMENTS_MIN}": (
            summary["acknowledged"]["pay"] < PAYMENTS_MIN
        ),
        f"{summary['replayed']} answers asked for again in {summary['checks']} checks": (
            summary["replayed"] < summary["checks"]
        ),
    }
    owed |= {
        f"{target} was killed {count} times instead of {EACH_MIN}": count < EACH_MIN
        for target, count in times.items()
    }
    owed |= {f"nothing of the kind {kind!r} happened": kind not in happened for kind in KINDS}
    owed |= {f"{name}: it met no traffic": _met_nothing(kind) for name, kind in by_kind.items()}
    return [text for text, is_owed in owed.items() if is_owed]


def _met_nothing(kind: dict[str, Any]) -> bool:
    hurts = [notes["hurts"] for notes in kind["notes"] if "hurts" in notes]
    return bool(hurts) and not any(hurts)
