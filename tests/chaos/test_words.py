"""What a chaos says before, after and when it is interrupted; nothing is started for it."""

from __future__ import annotations

import json
import threading

import pytest

from bench import ending
from tests.chaos import legs, story
from tests.chaos.__main__ import read
from tests.chaos.checker import Findings
from tests.chaos.journal import Journal
from tests.chaos.line import Caller, Line, Unanswered
from tests.chaos.story import LEGS, Plan, announce, is_clean, judge, play, remove, summarise
from tests.chaos.world import Fault, Run, wait_for


@pytest.fixture
def run(tmp_path):
    journal = Journal(tmp_path / "log")
    yield Run(
        journal=journal,
        found=Findings(),
        seed=1,
        rate=1,
        payments_wanted=0,
        folder=tmp_path,
        kept=tmp_path,
        say=print,
    )
    journal.file.close()


def plan_of(minutes, *names):
    return Plan(minutes=minutes, seed=1, rate=1, legs=names or LEGS)


@pytest.mark.parametrize("word", ["0", "-1", "abc", "nan", "inf", ""])
def test_minutes_are_a_number_above_nothing(word, capsys):
    with pytest.raises(SystemExit):
        read(["--minutes", word])
    assert "minutes: a number above 0, such as 6 or 20" in capsys.readouterr().err


def test_legs_that_the_short_form_lacks_are_refused(capsys):
    with pytest.raises(SystemExit):
        read(["--minutes", "2", "--legs", "cut", "disk"])
    assert "--minutes 6" in capsys.readouterr().err
    assert read(["--minutes", "6", "--legs", "cut"])[0].played == ["cut"]


@pytest.mark.parametrize(
    ("plan", "said"),
    [
        (plan_of(2), "short form: embedded, standby; 3 to 6 minutes; left out: cut, disk"),
        (plan_of(20), "all four legs: embedded, cut, disk, standby; about 20 minutes"),
        (plan_of(6, "cut"), "some legs: cut; up to 6 minutes; left out: embedded, disk, standby"),
    ],
)
def test_the_first_line_says_what_will_be_done(plan, said):
    assert announce(plan) == said


def test_a_run_without_a_fault_or_without_a_check_is_not_clean(run):
    assert not is_clean(run)
    assert judge(summarise(run, plan_of(2), 1.0)).startswith("Nothing was tried")
    run.faults.append(Fault(kind="kill", what="web"))
    assert not is_clean(run)
    run.found.checks = 1
    assert is_clean(run)
    run.journal.complain("500")
    assert judge(summarise(run, plan_of(2), 1.0)) == "It did not hold."


@pytest.mark.parametrize(
    ("minutes", "notes", "said"),
    [
        (2, {}, "All of it held (2 of 4 legs)."),
        (20, {}, "All of it held."),
        (20, {"disk": "left out: only root may"}, "All of it held (3 of 4 legs)."),
    ],
)
def test_the_last_line_says_how_much_of_it_was_played(run, minutes, notes, said):
    run.faults.append(Fault(kind="kill", what="web"))
    run.found.checks = 1
    run.notes |= notes
    assert judge(summarise(run, plan_of(minutes), 1.0)) == said


def test_an_interrupted_run_leaves_no_summary_and_no_folder(tmp_path, monkeypatch):
    (tmp_path / "summary.json").write_text(json.dumps({"is_clean": True}))
    folders = []

    def interrupted(run, *, rounds):
        folders.append(run.folder)
        (run.folder / "data").mkdir()
        raise KeyboardInterrupt

    monkeypatch.setattr(legs, "embedded", interrupted)
    with pytest.raises(KeyboardInterrupt):
        play(plan_of(2), tmp_path, say=print)
    assert [path.name for path in tmp_path.iterdir()] == ["acknowledged.log"]
    assert not folders[0].exists()


def test_once_interrupted_no_error_is_lived_with(run, monkeypatch):
    told = threading.Event()
    told.set()
    monkeypatch.setattr(ending, "told", told)

    def break_down(_run, *, rounds):
        message = "a server was gone first"
        raise OSError(message)

    monkeypatch.setattr(legs, "cut", break_down)
    with pytest.raises(OSError, match="gone first"):
        story.play_leg(run, "cut", 1)
    with pytest.raises(KeyboardInterrupt):
        wait_for(lambda: False, "nothing")


def test_a_folder_that_stays_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(story.shutil, "rmtree", lambda *_, **__: None)
    monkeypatch.setattr(story, "REMOVED_WITHIN_S", 0)
    said = []
    remove(tmp_path, say=said.append)
    assert said == [f"not all of {tmp_path} could be removed"]


def test_whoever_is_gone_waits_for_no_answer(run):
    caller = Caller(number=0, client={}, port=1, token="a", is_gone=True)
    with pytest.raises(Unanswered):
        Line(caller, run.journal, "till").insist("GET", "/")
    assert run.journal.wrong == []
