"""What is logged holds no secret and nothing of a person, whatever goes wrong."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.database import ROOT, own_database

WITHIN_S = 120


@pytest.mark.parametrize("log_format", ["json", pytest.param("console", marks=pytest.mark.long)])
def test_no_secret_reaches_the_log(servers, worker_number, tmp_path, log_format):
    secrets_file = tmp_path / "secrets"
    with own_database(servers, f"logged_{worker_number}") as urls:
        environment = {
            "GIFTPAD_HOME": tmp_path,
            "GIFTPAD_DATABASE_URL": urls.app,
            "GIFTPAD_DATABASE_OWNER_URL": urls.owner,
            "GIFTPAD_DATABASE_RELAY_URL": urls.relay,
            "GIFTPAD_REDIS_URL": servers.redis_url,
            "GIFTPAD_KEK_FILE": servers.kek_file,
            "GIFTPAD_LOG_LEVEL": "DEBUG",
            "GIFTPAD_LOG_FORMAT": log_format,
        }
        done = subprocess.run(
            [sys.executable, "-m", "tests.isolation_logged_run", str(secrets_file)],
            cwd=ROOT,
            env=dict(os.environ) | {name: str(value) for name, value in environment.items()},
            capture_output=True,
            text=True,
            timeout=WITHIN_S,
            check=False,
        )
    assert done.returncode == 0, done.stderr[-4000:]
    log = done.stdout + done.stderr
    secrets = secrets_file.read_text(encoding="utf-8").split("\n")
    assert len(secrets) > 30
    assert "logged to the end" in log
    assert log.count("/api/v1/payments") > 20
    assert "Traceback" in log
    assert log.count("message not sent") >= 5
    assert "ZeroDivision" in log or "division by zero" in log
    assert [line for line in log.splitlines() for secret in secrets if secret in line] == []
    if log_format == "json":
        assert all(json.loads(line) for line in done.stderr.splitlines())
