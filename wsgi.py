"""The web application for a WSGI server."""

from giftpad.app import create_app
from giftpad.kernel.config import read_settings

app = create_app(read_settings())
