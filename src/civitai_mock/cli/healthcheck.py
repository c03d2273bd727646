"""Say whether what runs beside is healthy. Imports little: a container does this every other second."""

import http.client
import os
import re
import time

from civitai_mock.cli.address import reachable, url_of
from civitai_mock.cli.runtime import Content, live_notes
from civitai_mock.environment import setting_values

ANSWER_SECONDS = 4.0  # the server itself waits three for its store, and Docker five for this
STALE_SECONDS = 8.0  # a beat that waits for a store that hangs, and the next
DEFAULT_HOST, DEFAULT_PORT = "127.0.0.1", 3000
PLAIN_PORT, MOST_PORT = re.compile("[1-9][0-9]{0,4}"), 65_535
SERVES_API = ("monolith", "api")


def find_fault(checked: str | None) -> str | None:
    """None if whatever was started with this PORT is healthy: the API by HTTP, others by their own notes.

    Where nothing has left a note, the API on HOST and PORT is asked: it may just be starting, or have no place for one.
    """
    host, port = _wanted_address()
    notes = [note for note in live_notes() if note["port"] == port and _is_meant(note, checked)]
    if not notes and checked in (None, "api"):
        fault = _ask(reachable(host), port, "/health")
        return fault and f"{fault}; nothing that runs here with PORT={port} has left a note"
    faults = [_fault_of(note) for note in notes] or [f"no {checked} runs here with PORT={port}"]
    return "; ".join(fault for fault in faults if fault) or None


def _is_meant(note: Content, checked: str | None) -> bool:
    if checked is None:
        return True
    return note["command"] in (SERVES_API if checked == "api" else (checked,))


def _fault_of(note: Content) -> str | None:
    if note["asked_at"] is None:
        return _fault_of_beats(note)
    host, port, path = note["asked_at"]
    return _ask(host, port, path, encrypted=bool(note.get("encrypted")))


def _fault_of_beats(note: Content) -> str | None:
    age = time.monotonic() - note["beat"]
    if age > STALE_SECONDS:
        return f"the {note['command']} has given no sign of life for {age:.0f} s"
    return note["fault"] or None


def _ask(host: str, port: int, path: str, *, encrypted: bool = False) -> str | None:
    """Straight to the server, whatever proxy the environment names, and whatever its certificate says."""
    connection = _connection(host, port, encrypted=encrypted)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read()
    except (OSError, UnicodeError, http.client.HTTPException) as error:  # the second for a name that no host can have
        return f"{url_of(host, port, encrypted=encrypted)}{path}: {str(error) or type(error).__name__}"
    finally:
        connection.close()
    url = url_of(host, port, encrypted=encrypted)
    return None if answer.status == 200 else f"{url}{path}: {answer.status} {body.decode()}"


def _connection(host: str, port: int, *, encrypted: bool) -> http.client.HTTPConnection:
    if not encrypted:
        return http.client.HTTPConnection(host, port, timeout=ANSWER_SECONDS)
    import ssl

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it asks itself
    return http.client.HTTPSConnection(host, port, timeout=ANSWER_SECONDS, context=context)


def _wanted_address() -> tuple[str, int]:
    """HOST and PORT; the settings as a whole, which are slow to load, are only read where a `.env` may name others."""
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
