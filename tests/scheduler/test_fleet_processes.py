"""A fleet with several processes on one SQLite file: one moves its pods, and another goes on when that is killed."""

from collections import Counter
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.scheduler.test_clock_processes import ADVANCE, CLOCK, NEW_YEAR, Cluster, open_cluster
from tests.support.process import LOG_NAME, PATIENCE_SECONDS, poll_until
from tests.support.served_app import JOBS, template

FLEET, PODS, COSTS = "/_mock/fleet", "/_mock/fleet/pods", "/_mock/costs"
BOOT_AT_ONCE = {"bootSeconds": {"min": 0.2, "max": 0.2}, "secondsPerPicture": 0.05, "idleShutdownSeconds": 1}
SPOT, SERVERLESS = {"name": "spot", "kind": "spot"}, {"name": "serverless", "kind": "serverless"}

pytestmark = [pytest.mark.slow, pytest.mark.long]


def submit(cluster: Cluster, count: int) -> Sequence[str]:
    answer = cluster.client.post(JOBS, json={"jobs": [template() for _ in range(count)]})
    assert answer.is_success, answer.text
    return [job["jobId"] for job in answer.json()["jobs"]]


def get(cluster: Cluster, path: str) -> Any:
    answer = cluster.client.get(path)
    assert answer.is_success, answer.text
    return answer.json()


def check_ends(cluster: Cluster, job_ids: Sequence[str]) -> Mapping[str, int]:
    """Check that each job succeeded once, and return how many did by provider."""
    providers: Counter[str] = Counter()
    for job_id in job_ids:
        events = cluster.events(job_id)
        assert [event["type"] for event in events].count("Succeeded") == 1
        assert events[-1]["type"] == "Succeeded"
        providers[events[-1]["provider"]] += 1
    return providers


def test_a_comic_goes_on_when_the_process_that_moves_its_pod_is_killed(tmp_path: Path) -> None:
    with open_cluster(tmp_path, schedulers=2) as cluster:
        cluster.change(CLOCK, {"mode": "frozen", "now": NEW_YEAR})
        cluster.change(FLEET, {})
        job_ids = submit(cluster, 40)
        with ThreadPoolExecutor(1) as pool:
            advancing = pool.submit(cluster.change, ADVANCE, {"by": "2h"}, method="POST")
            poll_until(lambda: any('"job done"' in (folder / LOG_NAME).read_text() for folder in cluster.folders))
            cluster.leader().kill()
            clock = advancing.result(PATIENCE_SECONDS)
        assert clock["status"] == "ready"
        assert check_ends(cluster, job_ids) == {"spot": 40}
        (pod,) = get(cluster, PODS)["items"]
        assert (pod["podId"], pod["state"]) == ("spot-1", "SHUTDOWN")
        spot = next(each for each in get(cluster, COSTS)["providers"] if each["name"] == "spot")
        assert (spot["pictures"], spot["perPicture"]) == (40, 60_000)


def test_in_real_time_one_of_two_schedulers_moves_the_pods(tmp_path: Path) -> None:
    with open_cluster(tmp_path, schedulers=2) as cluster:
        cluster.change(FLEET, {"providers": [SPOT | BOOT_AT_ONCE, SERVERLESS]})
        job_ids = submit(cluster, 30)
        poll_until(lambda: all(cluster.events(job_id)[-1]["type"] == "Succeeded" for job_id in job_ids))
        assert check_ends(cluster, job_ids) == {"spot": 30}
        assert {cluster.events(job_id)[-1]["workerId"] for job_id in job_ids} == {"spot-1"}
        poll_until(lambda: [pod["state"] for pod in get(cluster, PODS)["items"]] == ["SHUTDOWN"])
        spot = next(each for each in get(cluster, COSTS)["providers"] if each["name"] == "spot")
        assert spot["pictures"] == 30
