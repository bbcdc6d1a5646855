"""What somebody at the desk does to send gifts, for demonstrations: letter, people, handing in."""

from __future__ import annotations

from giftpad.cli.demo_browser import Browser, chosen, words


def begin_order(issuer: Browser, title: str, message: str) -> str:
    """Begin an order of gifts with a letter; return the path of its pages."""
    issuer.get("/desk/gifts")
    issuer.send("/desk/gifts", {})
    path = issuer.where.rpartition("/")[0]
    letter = {
        "title": title,
        "design": "musubi",
        "sender_name": "株式会社はなまる",
        "message": message,
        "locale": "ja",
    }
    issuer.send(f"{path}/design", letter)
    return path


def upload_people(issuer: Browser, path: str, rows: bytes) -> str:
    """Give an order its people as a file, its columns taken as proposed; return what is shown."""
    fields = {"channel": "mail", "replaces": "no", "by": "file"}
    page = issuer.send(f"{path}/recipients", fields, file=rows)
    while issuer.where.partition("?")[0].endswith("/columns"):
        page = issuer.send(f"{path}/recipients/columns", {})
    return words(page.encode())


def hand_in(issuer: Browser, path: str) -> None:
    """Hand an order in, to go out as soon as it may."""
    issuer.get(f"{path}/when")
    issuer.send(f"{path}/when", {"start": "now"} | chosen(issuer.page, "claim_by"))
    issuer.get(f"{path}/check")
    issuer.send(f"{path}/submit", {})
