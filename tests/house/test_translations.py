"""Every sentence that people read is there in every language, whole and as it was meant."""

from __future__ import annotations

from functools import cache

import pytest
from babel.messages.catalog import Catalog
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po, write_po

from giftpad.cli import messages
from giftpad.kernel.i18n import LOCALES, SOURCE_LOCALE, TRANSLATIONS, translate
from giftpad.ledger import InsufficientBalance
from giftpad.payments import REFUSALS

OTHERS = [locale for locale in LOCALES if locale != SOURCE_LOCALE]
HOW = "run `make i18n`, then translate what it names"
UNMOVED = {"No money has moved.": "お金は動いていません。"}


@cache
def sources() -> Catalog:
    return messages.gather()


def written(locale: str) -> Catalog:
    with (TRANSLATIONS / locale / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale=locale)


def sentences(catalogue: Catalog) -> dict[object, object]:
    return {message.id: message.string for message in catalogue if message.id}


@pytest.mark.parametrize("locale", OTHERS)
def test_no_sentence_is_missing_doubtful_or_without_its_facts(locale):
    assert messages.faults(locale, sources()) == [], HOW


@pytest.mark.parametrize("locale", OTHERS)
def test_no_translation_is_of_a_sentence_that_is_gone(locale):
    assert set(sentences(written(locale))) == set(sentences(sources())), HOW


def test_the_template_is_what_the_code_says():
    kept = (TRANSLATIONS / "messages.pot").read_bytes()
    assert kept == messages.template_text(sources()), HOW


@pytest.mark.parametrize("locale", OTHERS)
def test_programs_read_what_is_written(locale):
    compiled = TRANSLATIONS / locale / "LC_MESSAGES" / "messages.mo"
    assert compiled.exists(), "run `make i18n`"
    with compiled.open("rb") as file:
        assert sentences(read_mo(file)) == sentences(written(locale)), "run `make i18n`"


def test_a_sentence_that_says_that_no_money_moved_says_so_in_japanese():
    for source, translated in sentences(written("ja")).items():
        for english, japanese in UNMOVED.items():
            if english in str(source):
                assert japanese in str(translated), source


def test_every_refusal_at_the_till_says_that_no_money_moved():
    for refusal in REFUSALS.values():
        assert "No money has moved." in refusal.sentence, refusal.code


@pytest.mark.parametrize(
    ("kept", "named"),
    [
        (None, "not translated"),
        (("", ()), "not translated"),
        (("残りは{left}です。", ("fuzzy",)), "not translated"),
        (("残りは少しです。", ()), "other placeholders"),
        (("残りは{lfet}です。", ()), "other placeholders"),
        (("残りは{left}です。", ()), None),
    ],
    ids=["missing", "empty", "fuzzy", "fact lost", "fact misspelt", "good"],
)
def test_a_bad_translation_is_named(tmp_path, monkeypatch, kept, named):
    source, catalogue = Catalog(), Catalog(locale="ja", fuzzy=False)
    source.add("{left} is left.")
    if kept is not None:
        catalogue.add("{left} is left.", kept[0], flags=kept[1])
    folder = tmp_path / "ja" / "LC_MESSAGES"
    folder.mkdir(parents=True)
    with (folder / "messages.po").open("wb") as file:
        write_po(file, catalogue)
    monkeypatch.setattr(messages, "TRANSLATIONS", tmp_path)
    found = messages.faults("ja", source)
    assert [named in fault for fault in found] == ([] if named is None else [True])


@pytest.mark.parametrize(
    ("locale", "unit", "shown"),
    [("ja", "JPY", "1,650円"), ("en", "JPY", "¥1,650"), ("en", "EUR", "€16.50")],
)
def test_an_amount_is_written_as_people_read_it(locale, unit, shown):
    said = translate(InsufficientBalance.sentence, locale, balance_minor=1650, unit=unit)
    assert shown in said


def test_a_day_and_a_state_are_written_in_words():
    sentence = "This coupon expired on {last_day}. No money has moved."
    assert "2027年3月31日(水)" in translate(sentence, "ja", last_day="2027-03-31")
    assert "31 March 2027 (Wed)" in translate(sentence, "en", last_day="2027-03-31")
    sentence = "This payment is {state}; this cannot be done any more. No money has moved."
    assert "「一部返金済み」" in translate(sentence, "ja", state="partly_refunded")
    assert "is partly refunded;" in translate(sentence, "en", state="partly_refunded")
