"""Begin a migration: an empty one in ``migrations/versions``, named by the minute and its room.

Called by ``make migration m="gifts: Add vouchers.delivered_at"``.
"""

from __future__ import annotations

import sys
from datetime import UTC, datetime

from alembic import command

from giftpad.kernel.migrate import configuration

USAGE = 2


def main(message: str) -> int:
    """Write the file and print its path."""
    room, colon, what = message.rstrip(".").partition(":")
    if not (room and colon and what.strip()):
        print('Say which room and what: make migration m="gifts: Add vouchers.delivered_at"')
        return USAGE
    config = configuration("postgresql://not.needed/here")
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    command.revision(
        config, message=f"{room}:{what}", rev_id=datetime.now(UTC).strftime("%Y%m%d_%H%M")
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1] if len(sys.argv) > 1 else ""))
