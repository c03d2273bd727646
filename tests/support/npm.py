"""Packages of npm, installed outside of the source tree."""

import shutil
import subprocess
from pathlib import Path

PATIENCE_SECONDS = 60.0
OPTIONS = (
    "--no-audit",
    "--no-fund",
    "--no-update-notifier",
    "--ignore-scripts",
    "--prefer-offline",
    "--loglevel=error",
    "--fetch-retries=1",
    "--fetch-retry-mintimeout=1000",
)


class UnavailableError(Exception):
    """Why a package cannot be had here."""


def install(package: str, folder: Path) -> None:
    """Into `folder`; raise `UnavailableError` where that is not possible."""
    for tool in ("node", "npm"):
        if shutil.which(tool) is None:
            raise UnavailableError(f"{tool} is not installed")
    command: list[str | Path] = ["npm", "install", "--prefix", folder, package, *OPTIONS]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_SECONDS, check=False)
    except subprocess.TimeoutExpired as error:
        raise UnavailableError(f"npm did not install {package} within {PATIENCE_SECONDS:g} s") from error
    if done.returncode != 0:
        raise UnavailableError(f"npm could not install {package}: {' '.join(done.stderr.split())[:200]}")
