"""Letters about gifts: a card with its picture inside, in whose name and words the tenant says."""

from __future__ import annotations

import struct
import zlib
from email import message_from_bytes, policy
from html.parser import HTMLParser
from pathlib import Path

import pytest

from giftpad import messaging, tenancy
from giftpad.kernel.i18n import LOCALES
from giftpad.kernel.work import unit_of_work
from giftpad.messaging.rules import cards, letters
from giftpad.tenancy import PackFolder, Problems
from giftpad.wiring import PACK_SECTIONS
from tests.messaging.test_letters import SAMPLES, samples, written

HEAD = b"\x89PNG\r\n\x1a\n"
CLOSED_BY_THEMSELVES = {"meta", "img", "br"}


def png(width=2, height=2):
    def chunk(kind, body):
        return (
            struct.pack("!I", len(body)) + kind + body + struct.pack("!I", zlib.crc32(kind + body))
        )

    head = struct.pack("!IIBBBBB", width, height, 8, 2, 0, 0, 0)
    rows = b"".join(b"\0" + b"\x8a\x1f\x3d" * width for _ in range(height))
    return HEAD + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")


class Reading(HTMLParser):
    """What a mail program makes of a page: whether it nests, what it fetches, how it is styled."""

    def __init__(self, page):
        super().__init__()
        self.open, self.links, self.sources, self.styles, self.seen = [], [], [], [], set()
        self.words = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.seen.add(tag)
        assert not [name for name in given if name.startswith("on")]
        if "href" in given:
            self.links.append(given["href"])
        if "src" in given:
            self.sources.append(given["src"])
        if "style" in given:
            self.styles.append(dict(s.split(":", 1) for s in given["style"].split(";") if s))
        if tag not in CLOSED_BY_THEMSELVES:
            self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.words.append(data)


def gift(**changes):
    found = samples("gift_invitation") | {"recipient": "青葉 花"}
    given = {
        "template": "gift_invitation",
        "to": "hana@aoba.example",
        "values": found,
        "is_bulk": True,
    }
    return messaging.Message(**given | changes)


def sent(post, message):
    message_id = post.send(message)
    post.deliver()
    assert post.view(message_id).state == "sent"
    return message_from_bytes(post.mail.mails[-1], policy=policy.default)


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("template", messaging.GIFT_LETTERS)
def test_a_card_is_read_by_any_mail_program(template, locale):
    mail = written(template, locale=locale)
    page = Reading(mail.html)
    assert not page.seen & {"script", "style", "link", "form", "iframe"}
    assert page.sources == []
    assert SAMPLES["link"] in page.links
    sizes = [each["font-size"] for each in page.styles if "font-size" in each]
    assert min(int(size.removesuffix("px")) for size in sizes) >= 16
    assert "max-width:600px" in mail.html
    assert 'name="color-scheme" content="light"' in mail.html
    text = " ".join(page.words)
    for line in mail.text.split("\n"):
        assert line in text


def test_what_somebody_wrote_keeps_its_lines_and_is_no_markup():
    message = "一行目\r\n<img src=x onerror=alert(1)>\n\n{link} & \t👩\u200d🍳"
    mail = written("gift_invitation", message=message)
    page = Reading(mail.html)
    assert "img" not in page.seen
    assert "一行目\n<img src=x onerror=alert(1)>\n\n{link} &  👩\u200d🍳" in mail.text
    assert "一行目<br>&lt;img src=x onerror=alert(1)&gt;<br><br>{link} &amp;" in mail.html


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("message", "a\u202eb"),
        ("message", "a\x00b"),
        ("message", "x" * 2001),
        ("message", 5),
        ("band", "red"),
        ("band", '#8a1f3d" onload="x'),
        ("title", "a\nb"),
        ("recipient", ""),
    ],
)
def test_a_value_that_could_forge_something_is_refused(name, value):
    with pytest.raises(messaging.ValuesUnfit, match=name):
        letters.check_values("gift_invitation", samples("gift_invitation") | {name: value})


@pytest.mark.parametrize("template", messaging.GIFT_LETTERS)
def test_a_line_without_its_value_is_left_out(template):
    letter = letters.LETTERS[template]
    needed = {n: v for n, v in samples(template).items() if n not in letter.optional}
    kept = letters.check_values(
        template, needed | {"message": ""} if "message" in letter.optional else needed
    )
    for locale in LOCALES:
        mail = letters.write(template, "mail", kept, locale=locale, zone="Asia/Tokyo")
        assert "{" not in mail.text + mail.html
        assert "None" not in mail.text


def test_an_sms_names_who_gives_until_when_and_where():
    day = {"ja": "2026年12月1日(火)", "en": "1 December 2026 (Tue)"}
    for template in ("gift_invitation", "gift_reminder"):
        for locale in LOCALES:
            sms = written(template, "sms", locale=locale)
            lines = sms.text.splitlines()
            assert lines[-1] == SAMPLES["link"]
            assert "みどり市" in lines[0]
            assert day[locale] in lines[0]


def test_a_mail_carries_its_picture_inside_and_nobody_keeps_it(post):
    asked = []

    def draw(tenant_id, name):
        asked.append((tenant_id, name))
        return png() if name == "tsubaki" else None

    messaging.bind_pictures(draw)
    mail = sent(post, gift(picture="tsubaki"))
    sent(post, gift(picture="tsubaki"))
    assert asked == [(post.scope.tenant_id, "tsubaki")]
    assert mail.get_content_type() == "multipart/alternative"
    text, related = mail.iter_parts()
    assert (text.get_content_type(), related.get_content_type()) == (
        "text/plain",
        "multipart/related",
    )
    page, picture = related.iter_parts()
    assert (picture.get_content_type(), picture["Content-ID"]) == ("image/png", "<picture>")
    assert picture.get_content() == png()
    assert picture.get_content_disposition() == "inline"
    assert Reading(page.get_content()).sources == ["cid:picture"]
    without = sent(post, gift(picture="none"))
    assert [part.get_content_type() for part in without.iter_parts()] == ["text/plain", "text/html"]
    messaging.bind_pictures(lambda _, __: b"<svg>")
    without = sent(post, gift(picture="svg"))
    assert len(list(without.iter_parts())) == 2
    messaging.bind_pictures(lambda _, __: None)


def test_a_mail_is_from_whom_it_says_and_answers_go_where_it_says(post):
    mail = sent(
        post, gift(sender_name="株式会社はなまる 総務部", reply_to="soumu@hanamaru.example")
    )
    (sender,) = mail["From"].addresses
    assert (sender.display_name, sender.addr_spec) == (
        "株式会社はなまる 総務部",
        "no-reply@midori.example",
    )
    assert mail["Reply-To"] == "soumu@hanamaru.example"
    assert "Reply-To" not in sent(post, gift())


@pytest.mark.parametrize(
    "changes",
    [
        {"sender_name": "Giftpad\r\nBcc: all@example.org"},
        {"reply_to": "a@b.example\r\nBcc: all@example.org"},
        {"picture": "a\nb"},
    ],
)
def test_no_header_can_be_added_by_an_envelope(post, changes):
    with pytest.raises((messaging.ValuesUnfit, messaging.AddressUnfit)):
        post.send(gift(**changes))


def test_an_envelope_is_as_secret_as_the_values(post):
    message_id = post.send(gift(sender_name="Soumu", reply_to="soumu@hanamaru.example"))
    assert b"soumu@" not in bytes(post.row(message_id)["values_sealed"])
    assert "soumu@" not in repr(gift(reply_to="soumu@hanamaru.example"))
    post.deliver()
    assert post.row(message_id)["values_sealed"] is None
    assert letters.ENVELOPE not in {
        name for each in letters.LETTERS.values() for name in each.values
    }


MAIL_TOML = """
sender = "gifts@hanamaru.example"
reply_to = "soumu@hanamaru.example"
return_path = "bounces@hanamaru.example"
[sender_name]
ja = "株式会社はなまる"
en = "Hanamaru Co."
"""
LETTERS_TOML = """
[gift_invitation]
subject = "{sender}より、{recipient}様へ"
lines = ["{recipient}様", "{message}", "{until_day}までにどうぞ。", "{link}"]
sms = ["{sender}より", "{link}"]
"""


def read(files):
    problems = Problems()
    section = PACK_SECTIONS["letters"]
    folder = PackFolder(name="hanamaru", files={k: v.encode() for k, v in files.items()})
    paths = tuple(sorted(files))
    assert all(section.files.fullmatch(path) for path in paths)
    return section.read(folder, paths, problems), [str(each) for each in problems.found]


def apply(post, files):
    section, problems = read(files)
    assert problems == []
    with unit_of_work(post.scope) as work:
        return PACK_SECTIONS["letters"].apply(work, section)


def test_a_tenants_letters_are_in_its_name_and_its_words(post):
    files = {"mail.toml": MAIL_TOML, "texts/ja/letters.toml": LETTERS_TOML}
    changed = apply(post, files)
    assert len(changed) == 5
    assert apply(post, files) == []
    mail = sent(post, gift())
    (sender,) = mail["From"].addresses
    assert (sender.display_name, sender.addr_spec) == (
        "株式会社はなまる",
        "gifts@hanamaru.example",
    )
    assert mail["Reply-To"] == "soumu@hanamaru.example"
    assert mail["Message-ID"].endswith("@hanamaru.example>")
    assert post.mail.senders[-1] == "bounces@hanamaru.example"
    assert mail["Subject"] == "みどり市より、青葉 花様へ"
    text = mail.get_body(("plain",)).get_content().replace("\r\n", "\n")
    assert text.startswith(
        "青葉 花様\n\n日ごろの感謝をこめて。\nみなさまによろしく。\n\n"
        "2026年12月1日(火)までにどうぞ。"
    )
    english = sent(post, gift(locale="en"))
    assert english["Subject"] == "夏のごあいさつ: a gift from みどり市"
    assert english["From"].addresses[0].display_name == "Hanamaru Co."
    assert apply(post, {}) != []
    assert sent(post, gift())["From"].addresses[0].addr_spec == "no-reply@midori.example"


def test_a_code_never_depends_on_a_tenants_own_address(post):
    from tests.messaging.conftest import code_message

    apply(post, {"mail.toml": MAIL_TOML})
    mail = sent(post, code_message())
    assert mail["From"].addresses[0].addr_spec == "no-reply@midori.example"
    assert post.mail.senders[-1] == "no-reply@midori.example"


def test_a_tenants_address_that_is_refused_stops_nobody_else(post):
    apply(post, {"mail.toml": MAIL_TOML})
    post.mail.replies["MAIL"] = ["550 5.7.1 not you"] * 8
    ids = [post.send(gift()) for _ in range(8)]
    post.deliver()
    assert {post.view(each).last_error for each in ids} == {
        "mail server refused the sender: 550 5.7.1"
    }
    assert len(post.mail.senders) >= 8, "each was tried, for its own name's sake"


def test_what_a_letter_will_look_like_can_be_seen_before(post):
    apply(post, {"texts/ja/letters.toml": LETTERS_TOML})
    with unit_of_work(post.scope) as work:
        shown = messaging.preview(work, gift(), picture=png())
    assert shown.subject == "みどり市より、青葉 花様へ"
    assert Reading(shown.html).sources[0].startswith("data:image/png;base64,")
    assert post.mail.opened == 0


def broken(change, to=""):
    return LETTERS_TOML.replace(change, to)


@pytest.mark.parametrize(
    ("text", "line", "words"),
    [
        (broken("{until_day}", "{until}"), 4, '"lines" names {until}. Known are {recipient},'),
        (broken('"{link}"]\nsms', '"そこ"]\nsms'), 4, '"lines" does not name {link}. Whoever gets'),
        (broken('"{message}", '), 4, '"lines" does not name {message}'),
        (broken('", "{link}"]\nsms', '{link}"]\nsms'), 4, 'Write "{link}" as a line of its own'),
        (broken('["{sender}より", "{link}"]', '["{sender}"]'), 5, '"sms" does not name {link}'),
        (broken("{recipient}様へ", "{recipient様へ"), 3, '"subject" holds a brace'),
        (broken("{recipient}様へ", "{message}"), 3, '"subject" names'),
        (broken("{recipient}様へ", "a\\u202eb"), 3, '"subject" holds a sign'),
        (broken("subject =", "title ="), 2, '"subject" is missing. Add subject ='),
        (broken("[gift_invitation]", "[gift_hello]"), 2, '"gift_hello" is not known here'),
        (broken("sms =", "footer ="), 5, '"footer" is not known here'),
        (broken("lines = [", "lines = [5, "), 4, "not such a text"),
    ],
)
def test_a_wording_that_would_say_too_little_is_refused_with_its_line(text, line, words):
    _, problems = read({"texts/ja/letters.toml": text})
    found = [each for each in problems if words in each]
    assert found, problems
    assert found[0].startswith(f"hanamaru/texts/ja/letters.toml:{line}: ")


def test_an_address_that_is_none_is_refused_with_its_line():
    remedy = "Write a mail address such as gifts@town.example."
    for key in ("sender", "reply_to", "return_path"):
        _, problems = read({"mail.toml": f'{key} = "not one"\n'})
        assert problems == [f'hanamaru/mail.toml:1: "{key}" is "not one". {remedy}']


def test_letters_have_their_place_in_a_pack_and_other_texts_stay_pages(tmp_path):
    folder = tmp_path / "sakura"
    (folder / "texts" / "ja").mkdir(parents=True)
    (folder / "texts" / "ja" / "letters.toml").write_text(LETTERS_TOML, "utf-8")
    (folder / "texts" / "ja" / "hello.toml").write_text("", "utf-8")
    with pytest.raises(tenancy.PackBroken) as caught:
        tenancy.load_pack(folder, PACK_SECTIONS)
    files = {problem.file for problem in caught.value.problems}
    assert files == {"sakura/texts/ja/hello.toml", "sakura/tenant.toml"}


def test_a_word_on_the_band_can_be_read():
    for band, label in (("#000000", "#ffffff"), ("#ffffff", "#000000"), ("#c9a227", "#000000")):
        assert cards.label_on(band) == label


PACK = Path(__file__).resolve().parents[2] / "tenants" / "hanamaru"


@pytest.mark.parametrize(
    ("locale", "subject", "own"),
    [
        (
            "ja",
            "みどり市より、青葉 花様へ贈りもののお知らせ",
            "ささやかですが、贈りものをご用意しました。",
        ),
        ("en", "A gift for 青葉 花 from みどり市", "We have put a small gift aside for you."),
    ],
)
def test_the_letters_of_the_demonstration_say_what_must_be_said(post, locale, subject, own):
    files = {
        path.relative_to(PACK).as_posix(): path.read_text("utf-8")
        for path in sorted(PACK.glob("texts/*/letters.toml"))
    }
    assert len(files) == 2
    apply(post, files)
    with unit_of_work(post.scope) as work:
        shown = messaging.preview(work, gift(locale=locale), picture=png())
    assert shown.subject == subject
    for said in (shown.text, shown.html):
        assert own in said
        assert "日ごろの感謝をこめて。" in said


@pytest.mark.parametrize(
    ("left_out", "words"),
    [("{link}", "does not name {link}"), ("{until_day}", "does not name {until_day}")],
)
def test_a_letter_of_the_demonstration_without_what_must_be_said_is_refused(left_out, words):
    path = PACK / "texts" / "ja" / "letters.toml"
    _, problems = read({"texts/ja/letters.toml": path.read_text("utf-8").replace(left_out, "x")})
    assert any(words in each for each in problems), problems
