"""What the rules of answers.yml find, and what they leave alone."""

import contextlib
from pathlib import Path

from flask import redirect, request, send_file, url_for


def go():
    wanted = request.args.get("next", "")
    # ruleid: sent-where-the-request-says
    one = redirect(wanted)
    # ok: sent-where-the-request-says
    two = redirect(url_for("account.index", page=wanted))
    # ok: sent-where-the-request-says
    again = redirect(f"/authorize?{urlencode({'page': wanted})}")
    # ruleid: file-that-the-request-names
    three = send_file(request.args["file"])
    # ruleid: file-that-the-request-names
    four = Path(wanted).read_text()
    # ok: file-that-the-request-names
    five = Path("licences.txt").read_text()
    return one, two, again, three, four, five


def hide(work):
    # ruleid: accident-passed-over
    try:
        work()
    except Exception:
        pass
    # ruleid: accident-passed-over
    with contextlib.suppress(Exception):
        work()
    # ok: accident-passed-over
    with contextlib.suppress(FileNotFoundError):
        work()
