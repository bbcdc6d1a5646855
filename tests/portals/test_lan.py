"""The page that brings a phone here: its QR, the certificate; nothing where none are served."""

import hashlib
import re
import ssl
from dataclasses import replace

import pytest
import zxingcpp
from PIL import Image, ImageDraw

from giftpad.app import build_app
from giftpad.local.certificates import CertificateFolder
from tests.make_pages import HOST

ADDRESS = "192.168.1.20"
RUN = re.compile(r"M(\d+) (\d+)h(\d+)v1h-\d+z")


@pytest.fixture
def phones(site, settings, tmp_path):
    """A site that serves phones, as somebody sees it who is not signed in."""
    own = replace(settings, home=tmp_path / "lan-home", lan_address=ADDRESS)
    own.lan_folder.parent.mkdir(parents=True)
    CertificateFolder(own.lan_folder).prepare([ADDRESS])
    app = build_app(own)
    yield app.test_client(), own
    build_app(settings)  # the issuer is one per process


def get(client, path, **headers):
    return client.get(path, base_url=f"http://{HOST}", headers={"Accept": "text/html"} | headers)


def read_qr(text):
    """Return what a camera reads from the picture on a page."""
    side = int(re.search(r'viewBox="0 0 (\d+) \1" role="img"', text)[1])
    image = Image.new("L", (side * 4, side * 4), 255)
    pen = ImageDraw.Draw(image)
    for x, y, length in (map(int, run) for run in RUN.findall(text)):
        pen.rectangle((x * 4, y * 4, (x + length) * 4 - 1, y * 4 + 3), fill=0)
    return [each.text for each in zxingcpp.read_barcodes(image)]


@pytest.mark.parametrize(
    ("language", "title"), [("en", "Use Giftpad on a phone"), ("ja", "スマートフォンで使う")]
)
def test_the_page_shows_the_address_and_the_fingerprint(phones, language, title):
    client, settings = phones
    answer = get(client, "/lan", **{"Accept-Language": language})
    assert answer.status_code == 200
    assert read_qr(answer.text) == [f"https://{ADDRESS}:8443/lan"]
    der = ssl.PEM_cert_to_DER_cert(settings.lan_ca_path.read_text())
    shown = re.search(r"<code>(.*?)</code>", answer.text)[1].replace("<br>", ":")
    assert shown.replace(":", "") == hashlib.sha256(der).hexdigest().upper()
    assert f"<h1>{title}</h1>" in answer.text.replace("<wbr>", "")
    assert 'style="' not in answer.text


def test_the_certificate_is_the_authoritys_and_nothing_more(phones):
    client, settings = phones
    answer = get(client, "/lan/giftpad-ca.crt")
    assert (answer.status_code, answer.mimetype) == (200, "application/x-x509-ca-cert")
    assert ssl.DER_cert_to_PEM_cert(answer.data) == settings.lan_ca_path.read_text()


def test_where_phones_are_not_served_there_is_no_such_page(site):
    for path in ("/lan", "/lan/giftpad-ca.crt"):
        assert site.nobody().get(path).status_code == 404, path


def test_no_key_can_be_had(phones):
    client, _ = phones
    for path in ("/lan/ca.key", "/lan/server.key", "/lan/../keys/lan/ca.key"):
        assert get(client, path).status_code == 404, path
