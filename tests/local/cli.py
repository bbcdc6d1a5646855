"""The commands of a local Giftpad with the small parts, as a program of its own."""

import json
import sys

from giftpad.kernel.config import SettingsError, read_settings
from giftpad.local import (
    Arrangement,
    LocalError,
    Step,
    down,
    embedded_settings,
    reset,
    restart,
    status,
    up,
)

STEPS = {
    "prepare": Step(name="prepare", target="tests.local.tiny:prepare"),
    "lock_out": Step(name="lock_out", target="tests.local.tiny:lock_out"),
    "fail": Step(name="fail", target="tests.local.tiny:fail"),
}


def main(command, *options):
    settings = read_settings()
    if command == "up":
        steps = tuple(STEPS[name] for name in options if name in STEPS)
        arrangement = Arrangement(
            steps=steps, web="tests.local.tiny:app", worker="tests.local.tiny", sinks=""
        )
        up(settings, arrangement, detach="--detach" in options)
    elif command == "down":
        down(settings)
    elif command == "restart":
        restart(settings, options)
    elif command == "reset":
        reset(settings, confirmed="--yes" in options)
    elif command == "settings":
        found = embedded_settings(settings)
        print(json.dumps([found.database_url, found.redis_url]))
    else:
        found = status(settings)
        print(json.dumps(found.as_json()) if "--json" in options else found.describe())


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except LocalError as error:
        print(error.message, file=sys.stderr)
        sys.exit(error.exit_code)
    except SettingsError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
