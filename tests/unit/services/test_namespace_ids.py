"""What is drawn in a namespace with a seed."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from uuid import UUID

from civitai_mock.clock import RandomIds
from civitai_mock.domain.namespaces import Epoch
from civitai_mock.services.controls import Controls
from civitai_mock.services.namespace_ids import NamespaceIds, said


class Counters:
    """Counts as a store of namespaces does."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[int, str]] = Counter()

    async def count(self, epoch: int, key: str) -> int:
        self._counts[epoch, key] += 1
        return self._counts[epoch, key] - 1


def make_ids(seed: int | str | None) -> NamespaceIds:
    controls = Controls({} if seed is None else {"seed": seed})
    return NamespaceIds(random=RandomIds(), controls=controls, epoch=Epoch(), count=Counters().count)


async def draw(ids: NamespaceIds, content: bytes) -> tuple[str, int]:
    drawn = await ids.of_request(lambda: content)
    return drawn.uuid(), drawn.seed()


async def test_equal_requests_draw_what_their_number_says_in_every_run() -> None:
    first, second = [[await draw(ids, b"fox") for _ in range(3)] for ids in (make_ids(7), make_ids(7))]
    assert first == second
    assert len(set(first)) == 3


async def test_the_order_of_different_requests_changes_nothing() -> None:
    contents = [b"%d" % (number % 25) for number in range(50)]
    here, there = make_ids(7), make_ids(7)
    one_by_one = sorted([await draw(here, content) for content in contents])
    together = await asyncio.gather(*(draw(there, content) for content in reversed(contents)))
    assert sorted(together) == one_by_one


async def test_another_seed_draws_something_else() -> None:
    drawn = [await draw(make_ids(seed), b"fox") for seed in (7, 8, "7")]
    assert len(set(drawn)) == 3


async def test_an_id_is_a_uuid_of_version_4() -> None:
    found, _ = await draw(make_ids(7), b"fox")
    assert (str(UUID(found)), UUID(found).version) == (found, 4)


def test_a_job_draws_for_each_purpose_by_itself() -> None:
    ids = make_ids(7)
    drawn = [ids.of_job(job, purpose).seed() for job in ("a", "b") for purpose in ("prompt 0", "prompt 1")]
    assert len(set(drawn)) == 4
    assert make_ids(7).of_job("a", "prompt 0").seed() == drawn[0]


async def test_without_a_seed_nothing_is_drawn_again_and_no_content_is_asked_for() -> None:
    def content() -> bytes:
        raise AssertionError("it is not needed")

    ids = make_ids(None)
    assert (await ids.of_request(content)).uuid() != (await ids.of_request(content)).uuid()
    assert not ids.is_seeded


@dataclass(frozen=True)
class Asked:
    prompt: str
    size: int = 512
    style: str | None = None
    within: "Asked | None" = None
    tags: tuple[str, ...] = ()


def test_what_a_request_says_is_what_is_not_as_it_is_by_default() -> None:
    inner = Asked("a fox", size=64, tags=("x",))
    assert said({"jobs": [Asked("a fox", within=inner)]}) == {
        "jobs": [("Asked", {"prompt": "a fox", "within": ("Asked", {"prompt": "a fox", "size": 64, "tags": ["x"]})})]
    }
    assert said(Asked("a fox")) != said(Asked("a fox", style="line"))
