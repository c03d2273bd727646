"""`JobSearch`: looking for jobs among many."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from civitai_mock.domain.errors import ConflictError
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.search import MOST_BYTES_FOUND, JobCriteria, Position, property_paths
from civitai_mock.domain.stages import Outcome
from civitai_mock.ports import JobQueue, JobSearch, JobStore
from tests.support.dates import START
from tests.support.jobs import LIFETIME, SECOND, add_jobs, job_id, make_claim, make_job, succeeded

ALL = JobCriteria()
# Each differs from every other as a leaf, though some look alike as text or compare as equal in Python.
VALUES: Sequence[Json] = [
    7, "7", 7.5, 0, False, 1, True, "", "a", "A", "é", None, "None", "null", [], {}, [7], ["7"], [[7]], [7, "a"],
    {"b": 7}, {"B": 7}, {"b": [7]}, {"b": {"c": 7}}, {"b": None}, "b.c", 2**53 + 1, -1, "x" * 5_000,
]  # fmt: skip


def ids(jobs: Sequence[Job]) -> list[int]:
    return [int(job.id[-12:]) for job in jobs]


def having(**properties: Json) -> JobCriteria:
    return JobCriteria(property_paths=property_paths(properties))


def position(job: Job) -> Position:
    return Position(created_at=job.created_at, submission_id=job.submission_id, job_id=job.id)


def job_with(number: int, properties: JsonObject) -> Job:
    return replace(make_job(number, created_at=START + number * SECOND), properties=properties)


def job_of(number: int, *, issued_by: str = "someone", job_type: str = "TextToImageV2") -> Job:
    job = make_job(number, created_at=START + number * SECOND)
    return replace(job, issued_by=issued_by, type=job_type, last_event=replace(job.last_event, job_type=job_type))


async def test_the_youngest_jobs_are_found_first_as_they_are(
    jobs: JobStore, queue: JobQueue, search: JobSearch
) -> None:
    stored = [make_job(number, created_at=START + number * SECOND) for number in (2, 3, 1)]
    await jobs.add(stored)
    (claimed,) = await queue.claim(make_claim(), limit=1)
    assert list(await search.find(ALL, limit=10)) == [stored[1], stored[0], claimed]


async def test_of_large_jobs_fewer_are_found_at_once_but_never_none(jobs: JobStore, search: JobSearch) -> None:
    sizes = {1: 10, 2: MOST_BYTES_FOUND // 2, 3: MOST_BYTES_FOUND // 2, 4: 10, 5: MOST_BYTES_FOUND + 1}
    await jobs.add([job_with(number, {"a": "x" * size}) for number, size in sizes.items()])
    for criteria in (ALL, having(b=1)):
        pages, place = [], None
        while found := await search.find(replace(criteria, before=place), limit=10):
            pages.append(ids(found))
            place = position(found[-1])
        assert pages == ([[5], [4, 3, 2], [1]] if criteria == ALL else [])


async def test_jobs_of_one_instant_stand_in_order_of_submission_then_of_id(jobs: JobStore, search: JobSearch) -> None:
    submissions = {1: "b", 2: "a", 3: "b", 4: "a", 5: "c"}
    await jobs.add([replace(make_job(number), submission_id=text) for number, text in submissions.items()])
    await jobs.add([make_job(6, created_at=START - timedelta(microseconds=1))])
    assert ids(await search.find(ALL, limit=10)) == [5, 3, 1, 4, 2, 6]


async def test_no_more_than_the_limit_is_found(jobs: JobStore, search: JobSearch) -> None:
    await jobs.add([job_of(number) for number in range(1, 6)])
    assert ids(await search.find(ALL, limit=2)) == [5, 4]
    assert list(await search.find(ALL, limit=0)) == []


async def test_jobs_of_a_consumer_are_found(jobs: JobStore, search: JobSearch) -> None:
    await jobs.add([job_of(1, issued_by="a"), job_of(2, issued_by="b"), job_of(3, issued_by="a")])
    assert ids(await search.find(JobCriteria(issued_by="a"), limit=10)) == [3, 1]
    assert list(await search.find(JobCriteria(issued_by="A"), limit=10)) == []
    assert list(await search.find(JobCriteria(issued_by=""), limit=10)) == []


async def test_jobs_of_a_type_are_found(jobs: JobStore, search: JobSearch) -> None:
    await jobs.add([job_of(1, job_type="A"), job_of(2, job_type="B"), job_of(3, job_type="A")])
    assert ids(await search.find(JobCriteria(job_type="A"), limit=10)) == [3, 1]
    assert list(await search.find(JobCriteria(job_type="a"), limit=10)) == []


async def test_a_property_is_found_by_a_value_of_its_own_type_only(jobs: JobStore, search: JobSearch) -> None:
    await jobs.add([job_with(number, {"a": value}) for number, value in enumerate(VALUES, start=1)])
    for number, value in enumerate(VALUES, start=1):
        assert ids(await search.find(having(a=value), limit=10)) == [number], value


async def test_numbers_that_are_equal_are_found_by_each_other(jobs: JobStore, search: JobSearch) -> None:
    await jobs.add([job_with(1, {"a": 1.0, "b": [1]}), job_with(2, {"a": 1, "b": [1.0]})])
    for one in (1, 1.0):
        assert ids(await search.find(having(a=one, b=[one]), limit=10)) == [2, 1]


async def test_a_part_of_nested_properties_finds_the_whole(jobs: JobStore, search: JobSearch) -> None:
    await jobs.add([job_with(1, {"a": {"b": 1, "c": {"d": [2, 3]}}, "e": 4}), job_with(2, {"a": {"b": 1}})])
    assert ids(await search.find(having(a={"b": 1}), limit=10)) == [2, 1]
    assert ids(await search.find(having(a={"c": {"d": [2, 3]}}), limit=10)) == [1]
    assert ids(await search.find(having(a={"b": 1}, e=4), limit=10)) == [1]
    others: list[JsonObject] = [{"c": {"d": [3, 2]}}, {"c": {"d": 2}}, {"c": {"d": [2]}}, {"b": 2}, {"b": 1, "x": None}]
    for none in others:
        assert list(await search.find(having(a=none), limit=10)) == []


@pytest.mark.parametrize(
    "key", ["$set", "$where", "a.b", "", " ", "'", '"', "\x00", "_id", "__proto__", "ключ", "%", "🐈"]
)
async def test_any_key_is_a_key(jobs: JobStore, search: JobSearch, key: str) -> None:
    await jobs.add([job_with(1, {key: 1}), job_with(2, {"a": {"b": 1}}), job_with(3, {"x": {key: 1}})])
    assert ids(await search.find(having(**{key: 1}), limit=10)) == [1]
    assert ids(await search.find(having(x={key: 1}), limit=10)) == [3]


async def test_all_that_is_asked_for_has_to_hold(jobs: JobStore, search: JobSearch) -> None:
    def job(number: int, issued_by: str, job_type: str, properties: JsonObject) -> Job:
        return replace(job_of(number, issued_by=issued_by, job_type=job_type), properties=properties)

    await jobs.add(
        [
            job(1, "a", "A", {"x": 1, "y": 2, "z": 3}),
            job(2, "b", "A", {"x": 1, "y": 2}),
            job(3, "a", "B", {"x": 1, "y": 2}),
            job(4, "a", "A", {"x": 1, "y": 3}),
            job(5, "a", "A", {"x": 1, "y": 2}),
        ]
    )
    criteria = JobCriteria(issued_by="a", job_type="A", property_paths=property_paths({"x": 1, "y": 2}))
    assert ids(await search.find(criteria, limit=10)) == [5, 1]
    assert ids(await search.find(JobCriteria(issued_by="a", job_type="A"), limit=10)) == [5, 4, 1]


@pytest.mark.parametrize(
    "criteria",
    [
        ALL,
        JobCriteria(issued_by="someone"),
        JobCriteria(job_type="TextToImageV2"),
        JobCriteria(issued_by="someone", job_type="TextToImageV2"),
        having(all=True),
        having(all=True, every={"one": 1}),
        JobCriteria(issued_by="someone", job_type="TextToImageV2", property_paths=property_paths({"all": True})),
    ],
)
async def test_pages_follow_each_other_without_gap_or_repetition(
    jobs: JobStore, search: JobSearch, criteria: JobCriteria
) -> None:
    stored = [
        replace(
            job_of(number),
            created_at=START + number // 4 * SECOND,
            submission_id=f"submission-{number % 4 // 2}",
            properties={"all": True, "every": {"one": 1}, "number": number},
        )
        for number in range(1, 24)
    ]
    await jobs.add([*stored, make_job(99)])
    found: list[Job] = []
    page = await search.find(criteria, limit=5)
    while page:
        found.extend(page)
        await jobs.add([replace(make_job(100 + len(found)), created_at=START + LIFETIME)])  # disturbs no later page
        page = await search.find(replace(criteria, before=position(page[-1])), limit=5)
    expected = sorted(stored, key=position, reverse=True)
    assert [job for job in found if job.id != job_id(99)] == expected


async def test_a_finished_job_is_found_as_it_is_now(jobs: JobStore, queue: JobQueue, search: JobSearch) -> None:
    await jobs.add([make_job(1)])
    (claimed,) = await queue.claim(make_claim(), limit=1)
    ended = succeeded(claimed)
    assert await jobs.replace(claimed, ended)
    assert list(await search.find(JobCriteria(property_paths=property_paths(ended.properties)), limit=10)) == [ended]


async def test_a_swept_job_is_not_found_and_its_id_can_be_used_again(jobs: JobStore, search: JobSearch) -> None:
    await jobs.add([replace(make_job(1), properties={"a": 1}), job_with(2, {"a": 1, "b": 2})])
    assert await jobs.sweep(START + LIFETIME) == 1
    assert ids(await search.find(having(a=1), limit=10)) == [2]
    await jobs.add([replace(make_job(1), properties={"a": 3})])
    assert ids(await search.find(having(a=1), limit=10)) == [2]
    assert ids(await search.find(having(a=3), limit=10)) == [1]


async def test_jobs_that_were_not_added_are_not_found(jobs: JobStore, search: JobSearch) -> None:
    await jobs.add([make_job(1)])
    with pytest.raises(ConflictError):
        await jobs.add([job_with(2, {"a": 1}), make_job(1)])
    assert list(await search.find(having(a=1), limit=10)) == []


@pytest.mark.parametrize("text", ["\ud800", "'", '"; DROP TABLE jobs; --', "\x00", "$where"])
async def test_odd_text_finds_nothing(jobs: JobStore, search: JobSearch, text: str) -> None:
    await jobs.add([make_job(1)])
    for criteria in (JobCriteria(issued_by=text), JobCriteria(job_type=text), having(a=text)):
        assert list(await search.find(criteria, limit=10)) == []


async def test_outcomes_are_told_of_the_known_jobs(jobs: JobStore, queue: JobQueue, search: JobSearch) -> None:
    await add_jobs(jobs, 2)
    (claimed,) = await queue.claim(make_claim(), limit=1)
    assert await jobs.replace(claimed, succeeded(claimed))
    asked = [job_id(9), job_id(2), job_id(1), job_id(1), "\ud800"]
    assert dict(await search.outcomes(asked)) == {job_id(1): Outcome.SUCCEEDED, job_id(2): None}
    assert dict(await search.outcomes([])) == {}
