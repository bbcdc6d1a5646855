"""Break a Giftpad under load in every way that is known here, and prove that nothing is lost.

``python -m tests.chaos --minutes 20 --seed 7``; the same seed gives the same order of faults.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import sys
from pathlib import Path

from bench import ending
from tests.chaos.story import LEGS, Plan, describe, play, shortcomings

DEFAULT_RATE = 150.0
PAGE = "docs/internals/testing.md"


def minutes(word: str) -> float:
    """Read how many minutes are given.

    Raises: argparse.ArgumentTypeError.
    """
    try:
        found = float(word)
    except ValueError:
        found = math.nan
    if not (math.isfinite(found) and found > 0):
        message = "minutes: a number above 0, such as 6 or 20"
        raise argparse.ArgumentTypeError(message)
    return found


def read(given: list[str]) -> tuple[Plan, Path]:
    """Read the words into a plan, and where log and summary go."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument(
        "--minutes",
        type=minutes,
        default=20.0,
        help="how much of it: 20 is all, below 6 the short form of 3 to 6 minutes; default 20",
    )
    parser.add_argument("--seed", type=int, help="the order of the faults; default: by chance")
    parser.add_argument("--rate", type=float, default=DEFAULT_RATE, help="payments a second")
    parser.add_argument("--to", type=Path, default=Path("var/chaos"), help="log and summary")
    parser.add_argument("--legs", nargs="*", choices=LEGS, default=LEGS, help="some of them only")
    words = parser.parse_args(given)
    seed = words.seed if words.seed is not None else random.SystemRandom().randrange(1_000_000)
    plan = Plan(minutes=words.minutes, seed=seed, rate=words.rate, legs=tuple(words.legs))
    if not plan.played:
        parser.error("the short form has only embedded and standby: --minutes 6, or other legs")
    return plan, words.to


def main() -> int:
    """Read the words, play, show; 1 where anything did not hold, 130 where it was interrupted."""
    plan, target = read(sys.argv[1:])
    for variable in [name for name in os.environ if name.startswith("GIFTPAD_")]:
        del os.environ[variable]
    with ending.plainly(f"done; log in {target}"):
        summary = play(plan, target, say=lambda text: print(text, flush=True))
    print(describe(summary))
    missing = shortcomings(summary, plan)
    for text in missing:
        print(f"TOO LITTLE    {text}")
    print(f"Log and summary: {target}; how to read the table: {PAGE}")
    return 0 if summary["is_clean"] and not missing else 1


if __name__ == "__main__":
    sys.exit(main())
