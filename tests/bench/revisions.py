"""Revisions of the product: the one that lies here, and others in folders of their own."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = "civitai_mock"


class UnknownRevisionError(Exception):
    """Git does not know it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """`source` is the folder that its package is imported from; the installed dependencies serve all revisions."""

    name: str
    source: Path


@contextmanager
def checked_out(name: str | None) -> Iterator[Revision]:
    """Compile it, so that no start has to; None is what lies here, whether it is committed or not."""
    if name is None:
        yield _compiled(Revision(name=_git("describe", "--always", "--dirty", "--exclude=*"), source=ROOT / "src"))
        return
    with tempfile.TemporaryDirectory(prefix="civitai-mock-revision-") as folder:
        tree = Path(folder, "tree")
        _git("worktree", "add", "--detach", "--force", str(tree), name)
        try:
            yield _compiled(Revision(name=name, source=tree / "src"))
        finally:
            _git("worktree", "remove", "--force", str(tree))


def _compiled(revision: Revision) -> Revision:
    command = [sys.executable, "-m", "compileall", "-q", str(revision.source / PACKAGE)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return revision


def _git(*arguments: str) -> str:
    """Run git in this repository, also where a hook of another one has set its variables."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
    done = subprocess.run(["git", *arguments], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise UnknownRevisionError(done.stderr.strip())
    return done.stdout.strip()
