"""Packages of PyPI with all that they need, installed outside of the suite's own environment."""

import subprocess
import sys
from pathlib import Path

from tests.support.npm import UnavailableError

PATIENCE_SECONDS = 90.0
OPTIONS = ("--quiet", "--no-compile", "--disable-pip-version-check", "--no-input", "--retries=1", "--timeout=10")


def install(package: str, folder: Path) -> None:
    """Into `folder`; raise `UnavailableError` where that is not possible."""
    command = [sys.executable, "-m", "pip", "install", *OPTIONS, "--target", str(folder), package]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"pip did not install {package} within {PATIENCE_SECONDS:g} s") from error
    if done.returncode != 0:
        raise UnavailableError(f"pip could not install {package}: {' '.join(done.stderr.split())[:200]}")
