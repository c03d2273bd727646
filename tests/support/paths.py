"""Where the repository, its assets and the data of tests lie."""

from pathlib import Path

ROOT = Path(__file__).parents[2]
ASSETS = ROOT / "assets"
DATA = ROOT / "tests" / "data"
