"""What ends a command is one line, in the form of the log."""

import json
import os
import sys
from datetime import UTC, datetime

from civitai_mock.environment import setting_values

PROGRAM = "civitai-mock"
FAILED, BAD_SETTINGS = 1, 2


def refuse(message: str, *, status: int, as_json: bool) -> int:
    """Print a line for each line of the message; return the status."""
    for line in message.splitlines():
        sys.stdout.write(f"{_json_line(line)}\n") if as_json else sys.stderr.write(f"{PROGRAM}: {line}\n")
    return status


def wants_json() -> bool:
    """What `Settings.logs_json` says, as far as it can be told where the settings as a whole are refused."""
    from civitai_mock.env_files import values_in_readable_env_files

    found = values_in_readable_env_files() | setting_values(os.environ)
    wanted = found.get("log_format", "auto")
    return wanted == "json" or (wanted == "auto" and found.get("node_env") == "production")


def _json_line(line: str) -> str:
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    reason = line.encode("utf-8", "backslashreplace").decode("utf-8")  # bytes of the environment that are no text
    return json.dumps({"event": "ended", "reason": reason, "level": "error", "timestamp": now}, ensure_ascii=False)
