"""What is written: whole or refused, in the reader's language, and on lines nobody can add to."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from giftpad.kernel.i18n import LOCALES
from giftpad.messaging import errors
from giftpad.messaging.rules import addresses, letters

SAMPLES = {
    "organisation": "みどり市",
    "code": "417593",
    "minutes": 5,
    "host": "pay.example",
    "link": "https://pay.example/x?a=1&b=2",
    "until_day": date(2026, 12, 1),
    "what": "password_changed",
    "at": datetime(2026, 11, 22, 3, 4, tzinfo=UTC),
    "device": "Firefox, Windows",
    "recipient": "青葉 花",
    "sender": "みどり市",
    "title": "夏のごあいさつ",
    "message": "日ごろの感謝をこめて。\nみなさまによろしく。",
    "number": "G-4F271",
    "product": "夏みかんの詰め合わせ",
    "address": "100-0000\n架空県みどり市1-2-3",
    "expected_day": date(2026, 12, 8),
    "carrier": "みどり便",
    "tracking": "1234-5678",
    "balance": "5,000円",
    "programme": "みどりギフト残高",
    "paper": "#fffdf8",
    "ink": "#222222",
    "band": "#8a1f3d",
}


def samples(template):
    return {name: SAMPLES[name] for name in letters.LETTERS[template].values}


def written(template, channel="mail", *, locale="ja", **changes):
    values = letters.check_values(template, samples(template) | changes)
    return letters.write(template, channel, values, locale=locale, zone="Asia/Tokyo")


@pytest.mark.parametrize("locale", LOCALES)
@pytest.mark.parametrize("template", letters.LETTERS)
def test_every_template_is_whole_in_every_language(template, locale):
    mail = written(template, locale=locale)
    for text in (mail.subject, mail.text, mail.html):
        assert text
        assert "{" not in text
    assert "みどり市" in mail.subject + mail.text
    assert "\n" not in mail.subject
    assert f'<html lang="{locale}">' in mail.html


@pytest.mark.parametrize("notice", letters.NOTICES)
def test_every_notice_is_told_in_japanese(notice):
    first = written("security_notice", what=notice).text.splitlines()[0]
    assert first
    assert not first.isascii()


def test_a_notice_tells_the_hour_of_the_tenants_zone():
    assert "2026年11月22日(日) 12:04" in written("security_notice").text
    assert "22 November 2026 (Sun) 12:04" in written("security_notice", locale="en").text


@pytest.mark.parametrize(
    ("template", "channel"),
    [("sign_in_code", "mail"), ("sign_in_code", "sms"), ("password_reset", "mail")],
)
def test_a_code_is_bound_to_its_host_on_the_last_line(template, channel):
    for locale in LOCALES:
        text = written(template, channel, locale=locale).text
        assert text.splitlines()[-1] == "@pay.example #417593"


def test_an_sms_fits_into_two_parts():
    for locale in LOCALES:
        assert len(written("sign_in_code", "sms", locale=locale).text) <= 134


@pytest.mark.parametrize("template", letters.LETTERS)
def test_a_missing_value_is_refused_by_name(template):
    letter = letters.LETTERS[template]
    for name in set(letter.values) - letter.optional:
        values = samples(template)
        del values[name]
        with pytest.raises(errors.ValuesUnfit) as refused:
            letters.check_values(template, values)
        assert refused.value.params == {"template": template, "names": name}
    with pytest.raises(errors.ValuesUnfit, match="stray"):
        letters.check_values(template, samples(template) | {"stray": "1"})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("organisation", "Town\r\nBcc: all@example.org"),
        ("organisation", "Town\u2028@evil.example #000000"),
        ("organisation", "\u202eTown"),
        ("organisation", " "),
        ("organisation", "x" * 101),
        ("organisation", None),
        ("code", "41759"),
        ("code", "41759\n"),
        ("code", "４１７５９３"),
        ("code", 417593),
        ("host", "evil.example #1"),
        ("host", "PAY.example"),
        ("minutes", 0),
        ("minutes", "5"),
    ],
)
def test_a_value_that_could_forge_a_line_is_refused(name, value):
    with pytest.raises(errors.ValuesUnfit, match=name):
        letters.check_values("sign_in_code", samples("sign_in_code") | {name: value})


@pytest.mark.parametrize(
    "link", ["javascript:alert(1)", "https:///x", "https://a b.example", "//x", "https://x\n", "あ"]
)
def test_only_an_address_of_the_web_is_a_link(link):
    with pytest.raises(errors.ValuesUnfit, match="link"):
        letters.check_values("invitation", samples("invitation") | {"link": link})


@pytest.mark.parametrize(
    ("name", "value"),
    [("at", datetime(2026, 1, 1)), ("what", "something"), ("device", "a\tb")],  # noqa: DTZ001
)
def test_an_instant_has_a_zone_and_a_notice_a_name(name, value):
    with pytest.raises(errors.ValuesUnfit, match=name):
        letters.check_values("security_notice", samples("security_notice") | {name: value})


def test_braces_in_a_value_are_text_and_markup_in_it_is_no_markup():
    mail = written("invitation", organisation="<b>{code}</b> & {organisation}")
    assert "<b>{code}</b> & {organisation}" in mail.text
    assert "<b>" not in mail.html
    assert "&lt;b&gt;{code}&lt;/b&gt; &amp; {organisation}" in mail.html
    assert 'href="https://pay.example/x?a=1&amp;b=2"' in mail.html


def test_a_template_that_is_none_is_refused():
    for template, channel in (("greeting", "mail"), ("invitation", "sms")):
        with pytest.raises(errors.TemplateUnknown):
            letters.get_letter(template, channel)


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        (" a@b.example ", "a@b.example"),
        ("hana..s.@docomo.example", "hana..s.@docomo.example"),
        ("a+b@xn--bcher-kva.example", "a+b@xn--bcher-kva.example"),
    ],
)
def test_a_mail_address_is_taken(given, taken):
    assert addresses.check_mail(given) == taken


@pytest.mark.parametrize(
    "given",
    [
        *(
            "花@aoba.example",
            "a@青葉.example",
            "a@b",
            "a b@c.example",
            "a@b.example\nBcc: c@d.example",
        ),
        *(
            "a@-b.example",
            "<a@b.example>",
            "a@b.example,c@d.example",
            '"a"@b.example',
            "@b.example",
        ),
        "a" * 65 + "@b.example",
        "a@" + "b" * 60 + "." + ("c" * 60 + ".") * 4 + "example",
    ],
)
def test_an_address_that_mail_cannot_reach_from_here_is_refused_kindly(given):
    with pytest.raises(errors.AddressUnfit, match="letters from a to z"):
        addresses.check_mail(given)


@pytest.mark.parametrize(
    ("given", "taken"),
    [
        ("090-1234-5678", "+819012345678"),
        ("０９０ー１２３４ー５６７８", "+819012345678"),
        ("+81 90 1234 5678", "+819012345678"),
        ("+1 (415) 555-2671", "+14155552671"),
    ],
)
def test_a_telephone_number_is_taken_as_people_write_it(given, taken):
    assert addresses.check_phone(given) == taken


@pytest.mark.parametrize("given", ["", "12345", "00819012345678", "+0123456789", "090-abcd-5678"])
def test_what_is_no_telephone_number_is_refused(given):
    with pytest.raises(errors.AddressUnfit):
        addresses.check_phone(given)
