"""What `giftpad status` ends with, for whoever asks from a script."""

from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from giftpad.cli.local import status
from giftpad.local import Home


@pytest.fixture
def home(tmp_path, monkeypatch):
    monkeypatch.setenv("GIFTPAD_HOME", str(tmp_path / "home"))
    return Home(tmp_path / "home")


def ask(state):
    """Ask for the status in both forms, which must both say this; return the exit code."""
    shown, told = CliRunner().invoke(status), CliRunner().invoke(status, ["--json"])
    assert shown.output.startswith(f"Giftpad    {state}\n")
    assert json.loads(told.output)["state"] == state
    assert shown.exit_code == told.exit_code
    return told.exit_code


def test_the_code_is_16_where_nothing_runs(home):
    assert ask("stopped") == 16
    home.prepare()
    assert ask("stopped") == 16
    home.write_state({"parts": []})
    assert ask("cut off") == 16


def test_the_code_is_0_while_something_runs(home):
    home.prepare()
    with home.locked():
        assert ask("starting") == 0
        home.write_state({"parts": [], "is_ready": True})
        assert ask("degraded") == 0
