"""The file of trusted issuers: read whole, or refused with each fault by its line."""

from __future__ import annotations

import re

import pytest

from giftpad.identity.adapters import read_trusted_issuers
from giftpad.kernel.config import Settings, SettingsError
from giftpad.kernel.migrate import ROOT
from giftpad.wiring import bootstrap
from tests.make_foreign import AUDIENCE, ORG_ID, entry

OURS = "https://coupons.example/"
ISSUER = "https://midori.eu.auth0.com/"
GOOD = entry(ISSUER, "midori-city")


def read(folder, text):
    file = folder / "issuers.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_trusted_issuers(file, ours=OURS)


def test_a_good_file_is_read(tmp_path):
    (found,) = read(tmp_path, GOOD)
    assert (found.address, found.audience) == (ISSUER, AUDIENCE)
    assert (found.algorithms, found.tenants) == ({"RS256"}, {ORG_ID: "midori-city"})
    assert found.permissions == {"coupons:read", "payments:read"}
    assert found.names == {"read:payments": "payments:read"}


@pytest.mark.parametrize(
    "address",
    [
        "http://localhost:8000/",
        "http://127.0.0.1:5600/",
        "http://[::1]:5600/",
        "https://idp.example:8443/",
        "https://idp.example/realms/town/",
    ],
)
def test_an_issuer_may_be_here_or_have_a_port_and_a_path(tmp_path, address):
    (found,) = read(tmp_path, entry(address, "midori-city"))
    assert found.address == address


FAULTS = {
    "without a slash": (GOOD.replace(ISSUER, ISSUER[:-1]), 2, "a slash at the end"),
    "by plain http": (GOOD.replace("https://midori", "http://midori"), 2, "begin with https://"),
    "in capitals": (GOOD.replace("midori.eu", "Midori.eu"), 2, "small letters"),
    "with a query": (GOOD.replace(ISSUER, ISSUER + "?a=b/"), 2, "a slash at the end"),
    "with a password": (GOOD.replace("midori.eu", "a:b@midori.eu"), 2, "https://"),
    "with a bar": (GOOD.replace(ISSUER, ISSUER + "a|b/"), 2, "https://"),
    "with a port that is none": (GOOD.replace(".com/", ".com:99999/"), 2, "https://"),
    "that we are": (GOOD.replace(ISSUER, OURS), 2, "believed already"),
    "twice": (GOOD + GOOD, 12, "believed already"),
    "without an audience": (GOOD.replace("audience", "audiences"), 1, '"audience" is missing'),
    "with another word": (GOOD.replace("audience", "audiences"), 3, '"audiences" is not known'),
    "with HS256": (
        GOOD.replace("[[issuers.org", 'algorithms = ["HS256"]\n[[issuers.org'),
        5,
        "RS256, PS256",
    ),
    "with a permission nobody has": (GOOD.replace('"coupons:read"', '"all"'), 4, '"all"'),
    "with a permission of operators": (
        GOOD.replace('"coupons:read"', '"operations:act"'),
        4,
        "operations:act",
    ),
    "with no permission": (
        re.sub(r"permissions = .*", "permissions = []", GOOD),
        4,
        "missing or empty",
    ),
    "for nobody": (GOOD.replace("issuers.organizations", "issuers.others"), 1, "organizations"),
    "for an organisation that is none": (GOOD.replace(ORG_ID, "midori"), 6, "org_"),
    "for the platform": (GOOD.replace("midori-city", "platform"), 7, "no tenant"),
    "for one organisation twice": (
        GOOD + f'[[issuers.organizations]]\norg_id = "{ORG_ID}"\ntenant = "other"\n',
        12,
        "named twice",
    ),
    "renaming to what is not allowed": (
        GOOD.replace('ours = "payments:read"', 'ours = "coupons:print"'),
        10,
        "Write one of: coupons:read, payments:read",
    ),
    "with a cut line": (GOOD + "issuer =", 11, "not TOML"),
    "without any issuer": ("", 1, '"issuers" is missing'),
    "in another encoding": (GOOD.encode("utf-16"), 1, "UTF-8"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_is_told_by_its_line(tmp_path, kind):
    text, line, said = FAULTS[kind]
    with pytest.raises(SettingsError) as refused:
        read(tmp_path, text)
    told = str(refused.value)
    assert told.startswith("GIFTPAD_TRUSTED_ISSUERS_FILE cannot be used:\n")
    assert any(f"issuers.toml:{line}: " in each and said in each for each in told.splitlines())


def test_a_file_that_is_not_there_or_is_too_large_is_named(tmp_path):
    with pytest.raises(SettingsError, match="cannot be read: No such file"):
        read_trusted_issuers(tmp_path / "none.toml", ours=OURS)
    with pytest.raises(SettingsError, match="larger than"):
        read(tmp_path, "#" * (1024 * 1024 + 1))


def test_a_process_does_not_start_with_a_file_that_cannot_be_used(tmp_path):
    with pytest.raises(SettingsError, match="GIFTPAD_TRUSTED_ISSUERS_FILE"):
        bootstrap(Settings(trusted_issuers_file=str(tmp_path / "none.toml")))


def test_the_file_of_the_how_to_can_be_read(tmp_path):
    page = (ROOT / "docs" / "how-to" / "trust-an-auth0-tenant.md").read_text("utf-8")
    block = re.search(r"^```toml\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
    (found,) = read(tmp_path, block[1])
    assert found.address == "https://midori.eu.auth0.com/"
    assert found.names == {"take:payments": "payments:accept"}
    fault = block[1].replace("https://midori", "http://midori")
    with pytest.raises(SettingsError) as refused:
        read(tmp_path, fault)
    assert str(refused.value) in page
