"""The web application for a WSGI server."""

from giftpad.app import create_app
from giftpad.kernel import metrics
from giftpad.kernel.config import read_settings

settings = read_settings()
metrics.publish(metrics.folder_of(settings.home))
app = create_app(settings)
