"""The command `healthcheck`: is what runs beside it healthy? It imports little: containers ask every other second."""

import http.client
import os
import re
import time

from civitai_mock.cli.health_files import HealthReport, read_health_files
from civitai_mock.environment import setting_values
from civitai_mock.serving.address import reachable, url_of

ANSWER_SECONDS = 4.0  # the server itself waits three for its store, and Docker five for this
STALE_SECONDS = 8.0  # a beat that waits for a store that hangs, and the next
DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 3000
PLAIN_PORT, MOST_PORT = re.compile("[1-9][0-9]{0,4}"), 65_535
SERVES_API = ("monolith", "api")


def find_fault(checked: str | None) -> str | None:
    """Return None if whatever was started with this PORT is healthy: the API is asked by HTTP, others by their reports.

    Where there is no report, the API on HOST and PORT is asked: it may just be starting, or have no place for a file.
    """
    host, port = _wanted_address()
    reports = [report for report in read_health_files() if report["port"] == port and _is_meant(report, checked)]
    if not reports and checked in (None, "api"):
        fault = _ask(reachable(host), port, "/health")
        return fault and f"{fault}; no process with PORT={port} has a health file here"
    faults = [_fault_of(report) for report in reports] or [f"no {checked} runs here with PORT={port}"]
    return "; ".join(fault for fault in faults if fault) or None


def _is_meant(report: HealthReport, checked: str | None) -> bool:
    if checked is None:
        return True
    return report["command"] in (SERVES_API if checked == "api" else (checked,))


def _fault_of(report: HealthReport) -> str | None:
    if report["asked_at"] is None:
        return _fault_of_beats(report)
    host, port, path = report["asked_at"]
    return _ask(host, port, path, encrypted=bool(report.get("encrypted")))


def _fault_of_beats(report: HealthReport) -> str | None:
    age = time.monotonic() - report["beat"]
    if age > STALE_SECONDS:
        return f"the {report['command']} has given no sign of life for {age:.0f} s"
    return report["fault"] or None


def _ask(host: str, port: int, path: str, *, encrypted: bool = False) -> str | None:
    """Ask the server itself, whatever proxy the environment names, and whatever its certificate says."""
    connection = _connection(host, port, encrypted=encrypted)
    url = f"{url_of(host, port, encrypted=encrypted)}{path}"
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, UnicodeError, http.client.HTTPException) as error:  # the second for a name that no host can have
        return f"{url}: {str(error) or type(error).__name__}"
    finally:
        connection.close()
    return None if answer.status == 200 else f"{url}: {answer.status} {body.decode()}"


def _connection(host: str, port: int, *, encrypted: bool) -> http.client.HTTPConnection:
    if not encrypted:
        return http.client.HTTPConnection(host, port, timeout=ANSWER_SECONDS)
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it asks itself
    return http.client.HTTPSConnection(host, port, timeout=ANSWER_SECONDS, context=context)


def _wanted_address() -> tuple[str, int]:
    """Return HOST and PORT; all settings, which are slow to load, are only read where a `.env` may name others."""
    found = setting_values(os.environ)
    port = found.get("port", str(DEFAULT_PORT))
    is_plain = PLAIN_PORT.fullmatch(port) and int(port) <= MOST_PORT
    if is_plain and (found.keys() >= {"host", "port"} or not os.path.lexists(".env")):
        return found.get("host", DEFAULT_HOST), int(port)
    return _address_of_settings()


def _address_of_settings() -> tuple[str, int]:
    from civitai_mock.settings import Settings

    settings = Settings.load()
    return settings.host, settings.port
