"""The soak finds what is wrong: each check is shown something that it must not let pass."""

import io
import json
import os
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from tests.bench.soak.client import SoakClient
from tests.bench.soak.command import parse_arguments
from tests.bench.soak.job_checks import JobChecks
from tests.bench.soak.ledger import Answer, Ledger, Order
from tests.bench.soak.process_watch import MOST_GROWTH_BYTES, MemoryWatch, Sample, growth_of, holdings_of, slope_of
from tests.bench.soak.receiver import WebhookReceiver, receiving
from tests.bench.soak.remains import file_faults, log_faults


def _image(order: Order) -> bytes:
    texts = PngInfo()
    texts.add_text("prompt", json.dumps({"1": {"inputs": {"text": order.prompt, "seed": order.seed}}}))
    content = io.BytesIO()
    Image.new("RGB", (order.width, order.height)).save(content, "png", pnginfo=texts)
    return content.getvalue()


@dataclass
class PlayedServer:
    """Answers as a server that did what was ordered; tests change what it has."""

    jobs: list[dict[str, Any]] = field(default_factory=list)
    events: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    images: dict[str, bytes] = field(default_factory=dict)

    def add(self, job_id: str, order: Order) -> None:
        types = ("Initialized", "Claimed", "Succeeded")
        self.events[job_id] = [
            {"type": name, "jobHasCompleted": name == "Succeeded", "context": {}, "seq": seq}
            for seq, name in enumerate(types)
        ]
        keys = [f"{job_id}-{index}" for index in range(order.quantity)]
        self.images |= dict.fromkeys(keys, _image(order))
        result = [{"blobKey": key, "available": True, "blobUrl": f"http://server/blobs/{key}"} for key in keys]
        properties = {"soak": str(order.number)}
        self.jobs.append({"jobId": job_id, "properties": properties, "result": result, "job": {}})

    def answer(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path.endswith("/query"):
            return httpx.Response(200, json={"jobs": self._found(json.loads(request.content).get("properties"))})
        if path.endswith("/events"):
            return httpx.Response(200, json=self.events[path.split("/")[-2]])
        if path.startswith("/blobs/"):
            return _part(self.images[path.removeprefix("/blobs/")], request.headers.get("range"))
        job = next(job for job in self.jobs if job["jobId"] == path.rpartition("/")[2])
        return httpx.Response(200, json={**job, "lastEvent": self.events[job["jobId"]][-1]})

    def _found(self, properties: Any) -> Sequence[Any]:
        return [job for job in self.jobs if properties in (None, job["properties"])]


def _part(content: bytes, asked: str | None) -> httpx.Response:
    if asked is None:
        return httpx.Response(200, content=content)
    first, _, last = asked.removeprefix("bytes=").partition("-")
    part = content[int(first) : int(last or len(content)) + 1]
    span = f"bytes {first}-{int(first) + len(part) - 1}/{len(content)}"
    return httpx.Response(206, content=part, headers={"content-range": span, "etag": '"x"'})


@dataclass
class Played:
    """A soak that is over, of three submissions: one with a callback, one that is cancelled or not, one lost."""

    ledger: Ledger = field(default_factory=lambda: Ledger(rng=Random(7)))
    server: PlayedServer = field(default_factory=PlayedServer)
    receiver: WebhookReceiver = field(default_factory=lambda: WebhookReceiver(rng=Random(7)))

    def __post_init__(self) -> None:
        for index, answer in enumerate((Answer.ACCEPTED, Answer.ACCEPTED, Answer.LOST)):
            submission = self.ledger.order(has_callback=index == 0)
            ids = [f"{index}{place}" for place, _ in enumerate(submission.orders)]
            for job_id, order in zip(ids, submission.orders, strict=True):
                self.server.add(job_id, order)
                self.receiver.seqs[job_id], self.receiver.last_types[job_id] = [0, 1, 2], "Succeeded"
            submission.answer, submission.job_ids = answer, ids if answer is Answer.ACCEPTED else ()

    async def faults(self) -> Sequence[str]:
        transport = httpx.MockTransport(self.server.answer)
        async with httpx.AsyncClient(base_url="http://server", transport=transport) as http:
            client = SoakClient(http=http, ledger=self.ledger)
            await JobChecks(client=client, ledger=self.ledger, receiver=self.receiver, end_seconds=0.5).run()
        return self.ledger.faults


async def test_a_soak_in_which_all_went_well_has_no_fault() -> None:
    assert await Played().faults() == []


def _lose(played: Played) -> None:
    played.server.jobs = played.server.jobs[1:]


def _double(played: Played) -> None:
    played.server.jobs.append({**played.server.jobs[0], "jobId": "99"})


def _end_twice(played: Played) -> None:
    played.server.events["00"].insert(2, {"type": "Deleted", "jobHasCompleted": True, "context": {}})


def _fail(played: Played) -> None:
    played.server.events["10"][-1] |= {"type": "Failed"}


def _strand(played: Played) -> None:
    played.server.events["10"][-1] |= {"type": "Claimed", "jobHasCompleted": False}


def _invent(played: Played) -> None:
    played.server.jobs.append({**played.server.jobs[0], "jobId": "99", "properties": {"soak": "4711"}})


def _hide(played: Played) -> None:
    played.server.jobs[0]["result"][0]["available"] = False


def _cut(played: Played) -> None:
    played.server.images["00-0"] = played.server.images["00-0"][:-30]


def _redraw(played: Played) -> None:
    played.ledger.submissions[0].digests["00-0"] = "another"


def _swap(played: Played) -> None:
    played.server.images["00-0"] = played.server.images["10-0"]


def _forget_taint(played: Played) -> None:
    played.ledger.submissions[0].taint = "bad"


def _tell_in_another_order(played: Played) -> None:
    played.receiver.seqs["00"] = [0, 2, 1]


@pytest.mark.parametrize(
    ("break_it", "said"),
    [
        (_lose, "was accepted, but has jobs"),
        (_double, "became several jobs"),
        (_end_twice, "not exactly one final event"),
        (_fail, "it ended as Failed"),
        (_strand, "did not end within"),
        (_invent, "jobs that nobody ordered"),
        (_hide, "is not available"),
        (_cut, "cannot be decoded"),
        (_redraw, "has changed"),
        (_swap, "another image|an image of"),
        (_forget_taint, "has taint None"),
        (_tell_in_another_order, "its receiver knows"),
    ],
)
async def test_a_check_finds_what_is_wrong(break_it: Callable[[Played], None], said: str) -> None:
    played = Played()
    break_it(played)
    faults = await played.faults()
    assert any(pattern in fault for fault in faults for pattern in said.split("|")), faults


async def test_a_refusal_without_retry_after_and_one_of_a_read_that_is_owed_are_faults() -> None:
    ledger = Ledger(rng=Random(1))
    transport = httpx.MockTransport(lambda _: httpx.Response(503))
    async with httpx.AsyncClient(base_url="http://server", transport=transport) as http:
        client = SoakClient(http=http, ledger=ledger, must_read=lambda _: True)
        await client.send("GET", "/v1/consumer/jobs/1")
        await client.send("GET", "/health")
        await client.send("GET", "/_mock/jobs", headers={"X-Mock-Namespace": "world-1"})
    assert [fault.partition(" was")[0] for fault in ledger.faults] == [
        *["GET /v1/consumer/jobs/1"] * 2,
        "GET /health",
        "GET /_mock/jobs",  # as it has no Retry-After
    ]


def test_the_same_seed_orders_the_same() -> None:
    first, second = (Ledger(rng=Random(5)) for _ in range(2))
    for ledger in (first, second):
        for _ in range(20):
            ledger.order(has_callback=False)
    assert list(first.orders()) == list(second.orders())


async def test_a_receiver_keeps_the_first_arrival_of_each_event() -> None:
    async with receiving(Random(1)) as receiver, httpx.AsyncClient(trust_env=False) as http:
        for seq in (0, 1, 0, 2):
            for _ in range(20):  # it fails now and then
                headers = {"Idempotency-Key": f"job/{seq}"}
                try:
                    answer = await http.post(receiver.url, json={"type": f"type {seq}"}, headers=headers)
                except httpx.TransportError:
                    continue
                if answer.status_code == 204:
                    break
    assert receiver.seqs == {"job": [0, 1, 2]}
    assert receiver.last_types == {"job": "type 2"}
    assert receiver.counts["webhooks repeated"] >= 1


def _samples(per_second: float, *, count: int = 400) -> Sequence[Sample]:
    return [Sample(float(second), int(100e6 + per_second * second)) for second in range(count)]


def test_memory_that_grows_is_a_fault_and_memory_that_is_flat_is_none() -> None:
    watch = MemoryWatch(samples={("api", 1): list(_samples(0.0))})
    assert watch.faults() == []
    watch.samples["api", 1] = list(_samples(50_000.0))  # 3 MB a minute, 20 MB in all
    assert [fault.partition(" by")[0] for fault in watch.faults()] == ["api still grows"]
    watch.samples["api", 1] = list(_samples(1.2 * MOST_GROWTH_BYTES / 40, count=50))
    assert [fault.partition(" by")[0] for fault in watch.faults()] == ["api grew"]


def test_growth_and_slope_are_those_of_the_line() -> None:
    samples = _samples(1000.0, count=100)
    assert slope_of(samples) == pytest.approx(1000.0)
    assert growth_of(samples) == pytest.approx(80_000.0)
    assert slope_of(samples[:1]) == 0.0


def test_a_deleted_file_that_is_open_is_a_fault(tmp_path: Path) -> None:
    def deleted() -> Sequence[str]:
        return [fault for fault in holdings_of(os.getpid()).faults("this") if "deleted" in fault]

    before = deleted()
    with (tmp_path / "file").open("w") as file:
        Path(file.name).unlink()
        assert deleted() != before


def test_files_that_were_left_are_faults(tmp_path: Path) -> None:
    for name in ("civitai-mock.db", "blobs/AB/ABC", "uploads/.door", "workers/.door", "open.lock"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).touch()
    assert file_faults(tmp_path) == []
    (tmp_path / "uploads" / "1f").mkdir()
    (tmp_path / "uploads" / "1f" / "0").touch()
    (tmp_path / "workers" / "local-1.lock").touch()
    assert [fault.rpartition(": ")[2] for fault in file_faults(tmp_path)] == [
        "uploads/1f",
        "uploads/1f/0",
        "workers/local-1.lock",
    ]


def _lines() -> Iterator[tuple[str, bool]]:
    yield json.dumps({"event": "request", "level": "info"}), False
    yield json.dumps({"event": "store away", "level": "warning", "error": "locked"}), False
    yield json.dumps({"event": "ended", "level": "error"}), False
    yield json.dumps({"event": "claiming failed", "level": "error"}), True
    yield json.dumps({"event": "callback broke off", "level": "warning", "exception": "Traceback…"}), True
    yield "Traceback (most recent call last):", True
    yield "Task exception was never retrieved", True
    yield "a line of a library", True


def test_lines_of_a_log_that_tell_of_a_bug_are_faults(tmp_path: Path) -> None:
    log = tmp_path / "output.txt"
    log.write_text("\n".join(line for line, _ in _lines()))
    numbers = [number for number, (_, is_bug) in enumerate(_lines(), start=1) if is_bug]
    counts = Counter[str]()
    faults = list(log_faults(log, counts))
    assert [int(fault.partition(", line ")[2].partition(":")[0]) for fault in faults] == numbers
    assert counts["warning: store away"] == 1


@pytest.mark.parametrize("arguments", [["--minutes", "0"], ["--rate", "-1"], ["--stores", "memory"]])
def test_arguments_that_cannot_work_are_refused(arguments: Sequence[str]) -> None:
    with pytest.raises(SystemExit):
        parse_arguments(arguments)
