"""What people type is forgiven where it can be, and refused in words that say how to mend it."""

from __future__ import annotations

from datetime import date

import pytest
from flask import Flask, g
from werkzeug.datastructures import MultiDict

from giftpad.portals import forms, words


class Order(forms.Form):
    quantity = forms.WholeNumber("How many", least=1, most=100_000)
    ends_on = forms.Day("Until", required=False)
    kind = forms.Choice("Kind", [("a", "A"), ("b", "B")])
    note = forms.Words("Note", most=5, required=False)


@pytest.fixture(params=["ja", "en"])
def locale(request):
    with Flask("page").test_request_context(headers={"Accept-Language": request.param}):
        g.is_page = True
        yield request.param


def fill(**values):
    return Order(MultiDict({"quantity": "5", "kind": "a"} | values))


@pytest.mark.parametrize("typed", ["1200", " 1,200 ", "１２００", "¥1,200", "1,200円", "1、200"])
def test_a_number_is_taken_however_it_is_written(locale, typed):
    form = fill(quantity=typed)
    assert form.is_right(), form.errors
    assert form.quantity.known == 1200


@pytest.mark.parametrize(
    "typed", ["", "0", "100001", "-1", "12.5", "1,5", "1,2345", "1e3", "many", "9" * 5000]
)
def test_what_is_no_such_number_is_refused_and_kept(locale, typed):
    form = fill(quantity=typed)
    assert not form.is_right()
    ((field, sentence),) = form.faults
    assert field == "quantity"
    assert sentence
    assert form.quantity.data == typed


@pytest.mark.parametrize("typed", ["2027-03-31", "2027/03/31", "２０２７/03/31"])
def test_a_day_is_taken_however_it_is_written(locale, typed):
    form = fill(ends_on=typed)
    assert form.is_right()
    assert form.ends_on.day == date(2027, 3, 31)


@pytest.mark.parametrize(
    "typed", ["2027-02-30", "31.3.2027", "tomorrow", "0001-01-01", "1999-12-31", "9999-12-31"]
)
def test_what_is_no_day_is_refused(locale, typed):
    assert not fill(ends_on=typed).is_right()


def test_what_was_not_offered_cannot_be_chosen(locale):
    assert not fill(kind="c").is_right()
    assert not fill(kind="").is_right()


def test_a_text_has_an_end_and_no_hidden_characters(locale):
    assert fill(note=" 12345 ").is_right()
    assert not fill(note="123456").is_right()
    assert not fill(note="a\x07b").is_right()


def test_the_domain_may_refuse_a_field_too(locale):
    form = fill()
    assert form.is_right()
    form.refuse("quantity", forms.NOT_BETWEEN, least=1, most=7)
    ((_, sentence),) = form.faults
    assert "7" in sentence


def test_a_fault_is_said_in_the_readers_language(locale):
    form = fill(quantity="")
    form.is_right()
    ((_, sentence),) = form.faults
    assert (sentence == forms.NEEDED) == (locale == "en")


def test_values_read_as_people_of_the_language_write_them(locale):
    shown = words.yen(1234), words.day(date(2027, 3, 31)), words.number(31200)
    assert (
        shown
        == {
            "ja": ("1,234円", "2027年3月31日(水)", "31,200"),
            "en": ("¥1,234", "31 March 2027 (Wed)", "31,200"),
        }[locale]
    )


def test_a_japanese_text_breaks_between_phrases_only():
    with Flask("page").test_request_context(headers={"Accept-Language": "ja"}):
        g.is_page = True
        broken = str(words.phrases("コードを見せる<b>"))
        assert broken.startswith("コードを<wbr>見せる")
        assert "<b>" not in broken


@pytest.mark.parametrize(
    ("locale", "said"),
    [("ja", "終わりました。&lt;次&gt;です。"), ("en", "It is over. &lt;Next&gt;.")],
)
def test_sentences_follow_each_other_as_their_language_writes_them(locale, said):
    texts = {"ja": ("終わりました。", "<次>です。"), "en": ("It is over.", "<Next>.")}
    with Flask("page").test_request_context(headers={"Accept-Language": locale}):
        g.is_page = True
        assert words.sentences(texts[locale]) == said


def test_one_thing_is_said_as_one():
    with Flask("page").test_request_context(headers={"Accept-Language": "en"}):
        g.is_page = True
        said = [words.count_in_words("1 row", "{n} rows", n) for n in (1, 1200)]
    assert said == ["1 row", "1,200 rows"]


def test_a_constant_in_a_template_is_written_in_each_readers_language():
    page = Flask("page")
    page.jinja_env.filters.update(words.FILTERS)
    template = page.jinja_env.from_string("{{ 500 | yen }}")
    said = []
    for locale in ("ja", "en"):
        with page.test_request_context(headers={"Accept-Language": locale}):
            g.is_page = True
            said.append(template.render())
    assert said == ["500円", "¥500"]
