"""The commands that speak to a server, run in the test's process."""

from dataclasses import dataclass

import pytest

from civitai_mock.cli.arguments import parse_arguments
from civitai_mock.cli.control.command import run_control
from civitai_mock.cli.process import Stop


@dataclass(frozen=True, slots=True)
class Ended:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CommandLine:
    capsys: pytest.CaptureFixture[str]

    def __call__(self, *words: str) -> Ended:
        self.capsys.readouterr()
        status = run_control(parse_arguments(words), Stop())
        printed = self.capsys.readouterr()
        return Ended(status, printed.out, printed.err)
