"""Real clients of the service, each in a process of its own that a test can call into."""

import json
import os
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from threading import Timer
from typing import Any, Protocol

PATIENCE_SECONDS = 60.0


class Addressed(Protocol):
    """Whatever a client can be pointed at."""

    @property
    def url(self) -> str: ...


class ClientError(Exception):
    """What the client itself raised."""


@dataclass(frozen=True, kw_only=True)
class Client:
    """Behind a bridge: one line of JSON for each call, and one for what it returns."""

    process: "subprocess.Popen[str]"
    log: Path

    def call(self, server: Addressed, method: str, *args: Any) -> Any:
        """Raise `ClientError` if the client raises, and `RuntimeError` if it never returns."""
        answer = json.loads(self._exchange(json.dumps({"server": server.url, "method": method, "args": args})))
        if "error" in answer:
            raise ClientError(answer["error"])
        return answer.get("value")

    def _exchange(self, line: str) -> str:
        questions, answers = self.process.stdin, self.process.stdout
        assert questions is not None
        assert answers is not None
        deadline = Timer(PATIENCE_SECONDS, self.process.kill)
        deadline.start()
        try:
            questions.write(line + "\n")
            questions.flush()
            answer = answers.readline()
        finally:
            deadline.cancel()
        if not answer:
            raise RuntimeError(f"the client did not return:\n{self.log.read_text('utf-8')[-2000:]}")
        return answer


@contextmanager
def bridged(*command: str | Path, folder: Path, environment: Mapping[str, str]) -> Iterator[Client]:
    """`folder` gets what the client prints."""
    path, pipe = folder / "client.log", subprocess.PIPE
    variables = os.environ | environment
    with (
        path.open("w") as log,
        subprocess.Popen(command, env=variables, stdin=pipe, stdout=pipe, stderr=log, text=True) as process,
    ):
        try:
            yield Client(process=process, log=path)
        finally:
            process.kill()
