"""What is shipped for running elsewhere says nothing that the product does not know.

Containers cannot be run in these tests: files are parsed, and every command, path, setting and
option in them is looked for in the product.
"""

from __future__ import annotations

import itertools
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner

from giftpad import shops
from giftpad.cli import COMMANDS, cli
from giftpad.edge.bodies import STRANGERS_MAX, WAITING_MAX
from giftpad.identity import ROLES
from giftpad.kernel.config import Settings, read_settings
from giftpad.local.parts import HEADERS_WITHIN_MS, web_command
from worker.queues import LANES

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").iterdir())
TEXTS = [p for p in sorted(DEPLOY.rglob("*")) if p.is_file()]
SETTING = re.compile(r"\bGIFTPAD_[A-Z_]+\b")
NOT_SETTINGS = {"GIFTPAD_HOST", "GIFTPAD_UPSTREAM"}
"""Names of the proxy's own, in its file and in compose.yml."""
SYSTEMD, SHELL = shutil.which("systemd-analyze"), shutil.which("sh")
BIN = "/opt/giftpad/.venv/bin"
PROGRAMS = {"relay", "scheduler", "watch"}


def compose():
    return yaml.safe_load((DEPLOY / "docker" / "compose.yml").read_text())


def alerts():
    groups = yaml.safe_load((DEPLOY / "prometheus" / "alerts.yml").read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def web_options(command):
    """Return the options of a web server's command, but for where it listens."""
    words = [str(word) for word in command]
    start = words.index("granian") + 1
    pairs = words[start:]
    for name in ("--host", "--port"):
        place = pairs.index(name)
        del pairs[place : place + 2]
    return pairs


def commands():
    """Return every command line of units and containers as words."""
    for unit in UNITS:
        for line in unit.read_text().splitlines():
            if re.match(r"Exec\w+=", line):
                yield unit.name, line.partition("=")[2].replace(f"{BIN}/", "").split()
    for name, service in compose()["services"].items():
        if service.get("image") == "giftpad":
            yield name, service["command"]


def said(words):
    """Return what a command line runs of ours, one list of words each."""
    text = " ".join(words)
    for found in re.finditer(r"(?:^|[\s'\"&])giftpad ([a-z][\w -]*)", text):
        yield ["giftpad", *found[1].split()]
    if "python -m" in text:
        yield text[text.index("python -m") :].split()


OURS = [(where, words) for where, line in commands() for words in said(line)]


@pytest.mark.parametrize(("where", "words"), OURS, ids=[f"{w} {' '.join(x)[:30]}" for w, x in OURS])
def test_every_command_exists(where, words):
    match words:
        case ["giftpad", name, *_]:
            assert name in COMMANDS
            assert CliRunner().invoke(cli, [name, "--help"]).exit_code == 0
        case ["python", "-m", "worker", "jobs", lane]:
            assert lane in {*LANES, "%i"}  # which lanes the units name: the test below
        case ["python", "-m", "worker", program]:
            assert program in {*PROGRAMS, "%i"}
        case ["python", "-m", "granian", *_]:
            assert web_options(words) == web_options(web_command(Settings(), "wsgi:app"))
        case _:
            pytest.fail(f"{where} runs {words}")


@pytest.mark.parametrize(("at_work", "waiting"), [(12, 4), (2, 1), (4, 40)])
def test_slow_bodies_of_strangers_and_all_places_leave_a_thread_to_say_no(at_work, waiting):
    words = web_command(Settings(web_threads=at_work, web_queue=waiting), "wsgi:app")
    threads = int(words[words.index("--blocking-threads") + 1])
    assert threads > at_work + waiting + STRANGERS_MAX
    assert threads >= WAITING_MAX + 4


def test_commands_were_found_in_units_and_in_containers():
    assert {where for where, _ in OURS} >= {
        *(
            "giftpad.service",
            "giftpad-backup.service",
            "giftpad-web.service",
            "giftpad-jobs@.service",
        ),
        *("web", "relay", "scheduler", "watch", "prepare"),
        *("jobs-codes", "jobs-quick", "jobs-heavy", "jobs-bulk"),
    }


def test_the_programs_of_the_target_and_of_the_containers_are_all_there_are():
    wanted = {"web", *PROGRAMS}
    target = (DEPLOY / "systemd" / "giftpad.target").read_text()
    assert wanted == set(re.findall(r"giftpad-(?:worker@)?(web|\w+)\.service", target)) - {
        "prepare"
    }
    lanes = ["codes", "quick", "heavy", "bulk"]
    assert re.findall(r"giftpad-jobs@([\w-]+)", target) == lanes
    assert wanted | {f"jobs-{lane}" for lane in lanes} < set(compose()["services"])


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: str(file.relative_to(DEPLOY)))
def test_every_setting_is_one(file):
    known = {f"GIFTPAD_{name.upper()}" for name in Settings.__dataclass_fields__}
    assert set(SETTING.findall(file.read_text())) - NOT_SETTINGS <= known


@pytest.mark.parametrize("name", ["giftpad.env.example", "docker/giftpad.env.example"])
def test_the_example_of_an_environment_can_be_read(name):
    lines = (DEPLOY / name).read_text().splitlines()
    pairs = dict(line.lstrip("#").split("=", 1) for line in lines if re.match(r"#?GIFTPAD_", line))
    settings = read_settings(pairs)
    assert settings.trusted_proxies == 1
    assert settings.public_address.startswith("https://")


def test_systemd_finds_nothing_wrong_with_the_units(tmp_path):
    if SYSTEMD is None:
        pytest.skip("no systemd-analyze on this machine")
    for unit in UNITS:
        text = unit.read_text()
        text = re.sub(rf"{BIN}/\w+", sys.executable, text).replace("/opt/giftpad", str(ROOT))
        text = re.sub(r"^(User|Group)=.*\n", "", text, flags=re.MULTILINE)
        (tmp_path / unit.name).write_text(text)
    copies = [path for path in sorted(tmp_path.iterdir()) if "@" not in path.name]
    named = [tmp_path / "giftpad-worker@relay.service", tmp_path / "giftpad-jobs@quick.service"]
    done = subprocess.run(
        [SYSTEMD, "verify", *copies, *named],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    ours = [line for line in done.stderr.splitlines() if "giftpad" in line]
    assert ours == []
    (tmp_path / "giftpad-web.service").write_text("[Service]\nTypo=1\nExecStart=/nowhere\n")
    broken = subprocess.run(
        [SYSTEMD, "verify", tmp_path / "giftpad-web.service"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "Typo" in broken.stderr, "it would have said so"


@pytest.mark.parametrize("file", TEXTS, ids=lambda file: str(file.relative_to(DEPLOY)))
def test_every_page_that_a_file_names_exists(file):
    for page in re.findall(r"docs/[\w/.-]+\.md", file.read_text()):
        assert (ROOT / page).is_file(), page


def test_the_key_lies_in_one_place_for_all():
    operating = ROOT / "docs" / "operating"
    texts = [DEPLOY / "giftpad.env.example", operating / "external-servers.md"]
    places = {re.findall(r"GIFTPAD_KEK_FILE=(\S+)", text.read_text())[0] for text in texts}
    assert places == {"/etc/giftpad/kek"}
    made = "install -m 600 -o giftpad /dev/null /etc/giftpad/kek && head -c 32 /dev/urandom >"
    assert f"\n{made} /etc/giftpad/kek\n" in texts[1].read_text()


def test_only_a_machine_that_is_told_to_migrates():
    systemd = DEPLOY / "systemd"
    assert "prepare" not in (systemd / "giftpad.target").read_text()
    assert "\nWantedBy=giftpad.target\n" in (systemd / "giftpad-prepare.service").read_text()
    page = (ROOT / "docs/operating/deploy.md").read_text()
    (named,) = re.findall(r"^for unit in (.*); do$", page, re.MULTILINE)
    waiting = {
        unit.stem
        for unit in UNITS
        if unit.suffix == ".service" and "After=giftpad-prepare" in unit.read_text()
    }
    assert set(named.split()) == waiting


def test_a_backup_of_an_external_database_says_whose_address():
    page = (ROOT / "docs/operating/deploy.md").read_text()
    lines = [line for line in page.splitlines() if 'giftpad backup "' in line]
    assert len(lines) == 2
    for line in lines:
        assert "--admin-url postgresql://postgres@" in line
    shipped = (DEPLOY / "systemd" / "giftpad-backup.service").read_text()
    (command,) = re.findall(r"^(ExecStart=.*)'$", shipped, re.MULTILINE)
    assert f"\n{command} --admin-url " in page, "the page adds to the unit and changes nothing else"


def test_documents_and_folders_that_units_name_exist():
    for unit in UNITS:
        for path in re.findall(r"file:/opt/giftpad/(\S+)", unit.read_text()):
            assert (ROOT / path).is_file(), (unit.name, path)


def test_what_containers_mount_depend_on_and_keep_exists():
    found = compose()
    services, folder = found["services"], DEPLOY / "docker"
    for name, service in services.items():
        waits = service.get("depends_on", {})
        assert set(waits) <= set(services), name
        assert set(service.get("secrets", ())) <= set(found["secrets"]), name
        for volume in service.get("volumes", ()):
            source = volume.split(":")[0]
            if source.startswith("."):
                assert (folder / source).exists(), (name, source)
            else:
                assert source in found["volumes"], (name, source)
        build = service.get("build")
        if build:
            assert (folder / build["context"] / build["dockerfile"]).resolve().is_file()
    ignored = (ROOT / ".gitignore").read_text().splitlines()
    assert "deploy/docker/secrets/" in ignored
    assert all(secret["file"].startswith("./secrets/") for secret in found["secrets"].values())


def test_the_database_is_asked_where_its_first_server_does_not_listen():
    words = compose()["services"]["db"]["healthcheck"]["test"]
    assert words[words.index("-h") + 1] == "127.0.0.1"


def test_only_the_proxy_opens_a_port_to_others():
    opened = {name for name, service in compose()["services"].items() if "ports" in service}
    assert opened == {"proxy"}


def test_the_image_is_made_by_steps_that_exist():
    text = (DEPLOY / "docker" / "Dockerfile").read_text()
    assert re.search(r"^RUN make setup$", text, re.MULTILINE)
    assert re.search(r"^setup:", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"^FROM python:(\d+\.\d+)", text, re.MULTILINE)) == {"3.11"}
    assert "USER giftpad" in text
    assert text.count("/srv/giftpad/.venv") == 1, "programs lie where they were installed"
    ignored = (ROOT / ".dockerignore").read_text().splitlines()
    assert {".venv", "var", "deploy/docker/secrets"} <= set(ignored)


def test_the_roles_of_the_database_are_those_of_the_settings():
    text = (ROOT / "giftpad" / "kernel" / "sql" / "roles.sql").read_text()
    for name in re.findall(
        r"postgresql://(\w+):", (DEPLOY / "docker/giftpad.env.example").read_text()
    ):
        assert f"'{name}', 'LOGIN" in text


def test_the_script_of_the_database_can_be_read_by_a_shell():
    script = DEPLOY / "docker" / "initialise.sh"
    done = subprocess.run([SHELL, "-n", script], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def test_the_proxies_let_in_the_largest_file_and_no_address_that_a_caller_made_up():
    nginx = (DEPLOY / "proxy" / "nginx.conf").read_text()
    (size,) = re.findall(r"client_max_body_size (\d+)m;", nginx)
    assert int(size) * 1024 * 1024 > shops.IMPORT_SIZE_MAX
    assert "proxy_set_header X-Forwarded-For $remote_addr;" in nginx
    assert "$proxy_add_x_forwarded_for" not in nginx
    assert nginx.count("{") == nginx.count("}")
    caddy = (DEPLOY / "proxy" / "Caddyfile").read_text()
    assert caddy.count("{") == caddy.count("}")
    assert "trusted_proxies" not in caddy


def test_the_proxies_take_bodies_whole_and_keep_connections_for_less_than_giftpad_does():
    nginx = (DEPLOY / "proxy" / "nginx.conf").read_text()
    caddy = (DEPLOY / "proxy" / "Caddyfile").read_text()
    (size,) = re.findall(r"request_buffers (\d+)MiB\n", caddy)
    assert int(size) * 1024 * 1024 > shops.IMPORT_SIZE_MAX
    assert re.search(r"timeouts \{\s+read_body \d+s\s+\}", caddy)
    assert "proxy_request_buffering on;" in nginx
    assert re.search(r"client_body_timeout \d+s;", nginx)
    (upstream,) = re.findall(r"^upstream (\w+) \{$", nginx, re.MULTILINE)
    assert f"proxy_pass http://{upstream};" in nginx
    assert 'proxy_set_header Connection "";' in nginx
    (theirs,) = re.findall(r"keepalive_timeout (\d+)s;", nginx)
    (other,) = re.findall(r"\bkeepalive (\d+)s\n", caddy)
    assert 0 < int(theirs) * 1000 < HEADERS_WITHIN_MS
    assert 0 < int(other) * 1000 < HEADERS_WITHIN_MS


WANTED = {
    "no money moves": "giftpad_payments_total",
    "dead letters": "giftpad_dead_letters",
    "the relay is behind": "giftpad_relay_lag_seconds",
    "the ledger has a fault": "giftpad_ledger_faults",
    "the backup is old": "giftpad_backup_timestamp_seconds",
    "the database is down": "giftpad_database_up",
}


@pytest.mark.parametrize("metric", WANTED.values(), ids=WANTED)
def test_an_alert_tells_when(metric):
    assert [rule["alert"] for rule in alerts() if metric in rule["expr"]]


def test_every_alert_says_what_to_do_and_how_urgent_it_is():
    for rule in alerts():
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"].endswith(".")
        assert (ROOT / rule["annotations"]["page"]).is_file(), rule["alert"]
        assert rule["expr"].count("(") == rule["expr"].count(")")
    names = [rule["alert"] for rule in alerts()]
    assert len(names) == len(set(names))


def test_prometheus_reads_the_rules_and_the_port_of_the_settings():
    found = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())
    assert found["rule_files"] == ["alerts.yml"]
    (job,) = found["scrape_configs"]
    (target,) = job["static_configs"][0]["targets"]
    assert target == f"127.0.0.1:{Settings().metrics_port}"


def test_the_dashboard_answers_the_three_questions_and_no_panel_lies_on_another():
    board = json.loads((DEPLOY / "grafana" / "giftpad.json").read_text())
    rows = [panel["title"] for panel in board["panels"] if panel["type"] == "row"]
    assert rows[:3] == ["Is money moving?", "How fast?", "What is stuck?"]
    panels = [panel for panel in board["panels"] if panel["type"] != "row"]
    assert len({panel["id"] for panel in board["panels"]}) == len(board["panels"])
    for panel in panels:
        assert panel["targets"]
        for target in panel["targets"]:
            assert "giftpad_" in target["expr"], panel["title"]
            assert target["expr"].count("(") == target["expr"].count(")")
    for one, other in itertools.combinations(board["panels"], 2):
        a, b = one["gridPos"], other["gridPos"]
        apart = (
            a["x"] + a["w"] <= b["x"]
            or b["x"] + b["w"] <= a["x"]
            or a["y"] + a["h"] <= b["y"]
            or b["y"] + b["h"] <= a["y"]
        )
        assert apart, (one["title"], other["title"])


def test_a_town_has_no_role_of_operators():
    assert not any("operator" in role for role in ROLES)


def test_old_backups_are_removed_after_as_many_days_as_the_pages_say():
    unit = (DEPLOY / "systemd" / "giftpad-backup.service").read_text()
    ((folders, days),) = re.findall(
        r"^ExecStartPost=\S+find (.+?) -min.* -mtime \+(\d+) ", unit, re.MULTILINE
    )
    taken = re.findall(r'"(/var/backups/[\w-]+)/', unit)
    assert folders.split() == taken
    for page in ("operating/backup.md", "operating/deploy.md", "reference/retention.md"):
        assert f"{days} days" in (ROOT / "docs" / page).read_text("utf-8"), page
