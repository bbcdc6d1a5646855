"""Break a Giftpad under load in every way that is known here, and prove that nothing is lost.

``python -m tests.chaos --minutes 20 --seed 7``; the same seed gives the same order of faults.
"""

from __future__ import annotations

import argparse
import os
import random
import signal
import sys
from pathlib import Path

from tests.chaos.story import LEGS, Plan, describe, play, shortcomings

DEFAULT_RATE = 150.0


def main() -> int:
    """Read the words, play, show; 1 where anything did not hold."""
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument(
        "--minutes",
        type=float,
        default=20.0,
        help="how much of it: 20 is all, on a machine that does nothing else; default 20",
    )
    parser.add_argument("--seed", type=int, help="the order of the faults; default: by chance")
    parser.add_argument("--rate", type=float, default=DEFAULT_RATE, help="payments a second")
    parser.add_argument("--to", type=Path, default=Path("var/chaos"), help="log and summary")
    parser.add_argument("--legs", nargs="*", choices=LEGS, default=LEGS, help="some of them only")
    words = parser.parse_args()
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # told to end: servers are ended too
    for variable in [name for name in os.environ if name.startswith("GIFTPAD_")]:
        del os.environ[variable]
    seed = words.seed if words.seed is not None else random.SystemRandom().randrange(1_000_000)
    plan = Plan(minutes=words.minutes, seed=seed, rate=words.rate, legs=tuple(words.legs))
    summary = play(plan, words.to, say=lambda text: print(text, flush=True))
    print(describe(summary))
    missing = shortcomings(summary, plan)
    for text in missing:
        print(f"TOO LITTLE    {text}")
    print(f"Log and summary: {words.to}")
    return 0 if summary["is_clean"] and not missing else 1


if __name__ == "__main__":
    sys.exit(main())
