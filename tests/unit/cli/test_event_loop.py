"""The event loop that a command runs."""

import json
import subprocess
import sys

PROGRAM = """
import gc, json
from civitai_mock.cli.event_loop import run_until_done

async def main():
    return gc.get_threshold(), gc.get_freeze_count()

print(json.dumps(run_until_done(main())))
"""


def test_garbage_is_looked_for_rarely_and_not_in_what_stays() -> None:
    ran = subprocess.run([sys.executable, "-c", PROGRAM], capture_output=True, check=True)
    (young, middle, old), frozen = json.loads(ran.stdout)
    assert (young, middle, old) == (50_000, 20, 100)
    assert frozen > 1000
