"""What the rules of network.yml find, and what they leave alone."""

import ssl
import urllib.request

import httpx
import requests


def ask(address, context):
    # ruleid: request-to-the-outside
    requests.get(address, timeout=3)
    # ruleid: request-to-the-outside
    httpx.post(address)
    # ruleid: request-to-the-outside
    urllib.request.urlopen(address)
    # ok: request-to-the-outside
    address.get("requests")
    # ruleid: certificate-not-checked
    context.verify_mode = ssl.CERT_NONE
    # ruleid: certificate-not-checked
    context.check_hostname = False
    # ok: certificate-not-checked
    context.verify_mode = ssl.CERT_REQUIRED
