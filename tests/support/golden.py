"""Expected output is a file, rewritten by `pytest --rewrite` and reviewed as a diff."""

import json
from pathlib import Path
from typing import Any


class Golden:
    def __init__(self, *, rewrite: bool) -> None:
        self._rewrite = rewrite

    def check_text(self, path: Path, actual: str) -> None:
        if self._rewrite:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(actual, "utf-8")
        assert actual == path.read_text("utf-8"), f"{path.name} differs; see `pytest --rewrite`"

    def check_json(self, path: Path, actual: Any) -> None:
        self.check_text(path, json.dumps(actual, indent=2, ensure_ascii=False) + "\n")

    def check_json_once(self, path: Path, actual: Any) -> None:
        """Write what has no file yet; a file that is there stays, as its name says what it is of."""
        if self._rewrite and not path.exists():
            self.check_json(path, actual)
        assert actual == json.loads(path.read_text("utf-8")), f"what {path.name} is of gives something else now"
