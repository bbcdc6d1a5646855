"""An application with probes, the same that the API's tests ask."""

from tests.api.conftest import app, bound, machine  # noqa: F401 - the fixtures are used by name
