"""What the rules of clock.yml find, and what they leave alone."""

from datetime import UTC, date, datetime


def tell(stamp):
    # ruleid: instant-without-a-zone
    one = datetime.now()
    # ruleid: instant-without-a-zone
    two = datetime.utcnow()
    # ruleid: instant-without-a-zone
    three = date.today()
    # ruleid: instant-without-a-zone
    four = datetime.fromtimestamp(stamp)
    # ok: instant-without-a-zone
    local = datetime.now().astimezone()
    # ok: instant-without-a-zone
    five = datetime.now(UTC)
    # ok: instant-without-a-zone
    six = datetime.fromtimestamp(stamp, UTC)
    return one, two, three, four, local, five, six
