"""The bench itself runs, from the command line to its figures."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.bench.apis import V1
from tests.bench.references import REFERENCES
from tests.bench.revisions import UnknownRevisionError, checked_out
from tests.bench.servers import exchange, running_reference
from tests.bench.trials import LARGE
from tests.support.paths import ROOT

EVENT = {
    "jobId": "1",
    "type": "Succeeded",
    "dateTime": "2026-11-26T06:54:02Z",
    "context": {},
    "jobDuration": "00:00:01",
    "retryAttempt": 0,
    "jobType": "TextToImageV2",
    "claimHasCompleted": True,
    "jobHasCompleted": True,
}
STATUS = {
    "jobId": "1",
    "cost": 1.0,
    "properties": {},
    "result": [{"blobKey": "A", "available": True, "seed": 1}],
    "lastEvent": EVENT,
    "serviceProviders": {},
    "scheduled": False,
}


@pytest.mark.slow
def test_a_row_runs_from_the_command_line_and_prints_its_figures() -> None:
    command = [sys.executable, "-m", "tests.bench", "idle", "--rounds", "1", "--scale", "0.05", "--json"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    (row,) = json.loads(done.stdout)["rows"]
    assert (row["name"], row["requests"], row["unmeasured"]) == ("idle", 5, {})
    figures = row["figures"]["ours"]
    assert {"cpu", "p50", "p99", "rss", "writes", "written", "statements"} <= {
        name for name, each in figures.items() if each
    }
    assert 0 < figures["p50"]["median"] <= figures["p99"]["median"]


@pytest.mark.slow
@pytest.mark.parametrize("name", REFERENCES)
def test_a_reference_answers_as_ours_did(name: str, tmp_path: Path) -> None:
    posted = {"token": "t", "jobs": [STATUS]}
    (tmp_path / "post.json").write_text(json.dumps(posted))
    (tmp_path / "get.json").write_text(json.dumps(STATUS))
    with running_reference(name, tmp_path) as server:
        status, body = exchange(server.port, "POST", V1.path, json.dumps(LARGE).encode())
        assert status == 200, body
        assert json.loads(body)["jobs"][0]["jobId"] == "1"
        status, body = exchange(server.port, "GET", f"{V1.path}/1")
        assert status == 200
        assert json.loads(body)["lastEvent"]["jobHasCompleted"]
        assert server.statements() is None


def test_a_revision_that_git_does_not_know_is_an_error() -> None:
    with pytest.raises(UnknownRevisionError, match="no-such-revision"), checked_out("no-such-revision"):
        pass
