"""Domain values come back from BSON as they went in."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitai_mock.domain.air import Air, CompressedAir, parse_reference
from civitai_mock.domain.blob import Slot
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.namespaces import FIRST_EPOCH, SHARED_EPOCH
from civitai_mock.domain.search import JobCriteria, Position, property_paths
from civitai_mock.domain.stages import MovedBy, Outcome, Stage
from civitai_mock.storage.mongo.collections import CollectionNames, Document
from civitai_mock.storage.mongo.encoding import key_in, moment_text, name_of, parse_moment
from civitai_mock.storage.mongo.job_documents import (
    copied_events,
    event_documents,
    event_of,
    job_document,
    job_of,
    leaf_digests,
    position_text,
    texts_of,
)
from civitai_mock.storage.mongo.job_queries import born_filter, criteria_filter
from civitai_mock.storage.mongo.resources import (
    reference_filter,
    resource_document,
    resource_of,
)
from civitai_mock.storage.mongo.resources import (
    search_filter as resource_search_filter,
)
from tests.support.dates import START
from tests.support.jobs import LEASE, SECOND, make_claim, make_job, make_resource, succeeded
from tests.support.table import table

ZONES = st.builds(lambda minutes: timezone(timedelta(minutes=minutes)), st.integers(-720, 840))
MOMENTS = st.builds(
    lambda micros, zone: (START + timedelta(microseconds=micros)).astimezone(zone),
    st.integers(-(10**15), 10**17),
    ZONES,
)
SCALARS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text()
NESTED: st.SearchStrategy[Json] = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3), max_leaves=8
)
FREE_JSON: st.SearchStrategy[JsonObject] = st.dictionaries(st.text(), NESTED, max_size=4)
HOSTILE: JsonObject = {
    "$set": {"a.b": 1},
    "a.b": "$literal",
    "nul\0name": "nul\0value",
    "": [],
    "huge": 2**80,
    "half": "\ud83d",
    "float": 0.1,
}
CLAIMED = replace(make_job(), claim=make_claim())
RUNNING = CLAIMED.entered(
    Stage.CLAIMED,
    at=START + timedelta(microseconds=1),
    until=START + timedelta(microseconds=1) + LEASE,
    context={"a": None},
)
JOBS = {
    "queued": make_job(),
    "claimed": CLAIMED,
    "running": RUNNING,
    "back": RUNNING.released(at=START, reason="stopping"),
    "succeeded": succeeded(CLAIMED),
    "failed": RUNNING.ended(Outcome.FAILED, at=START, context=HOSTILE),
    "graph": RUNNING.progressed(at=START, context={"a": 1, "graph": "g" * 1000, "z": None}),
    "half a pair": RUNNING.progressed(at=START, context={"graph": "\ud83d" * 1000}),
    "hostile": replace(make_job(), spec=HOSTILE, properties=HOSTILE, result=[HOSTILE], taint=HOSTILE),
    "waiting": replace(make_job(), is_blocked=True, dependencies=("a", "b"), providers=("local",), name="nul\0name"),
    "told of": replace(
        make_job(), callback_url="http://localhost:9/", client_compat="x", charged=False, result=False, taint={}
    ),
    "moved by time": replace(make_job(), moved_by=MovedBy.TIME),
    "moved by requests": replace(make_job(), moved_by=MovedBy.REQUESTS),
    "polled": replace(make_job(), progress={"mode": "polls", "each": 2}),
    "assets": replace(make_job(), slots=(Slot(blob_key="A", name="image.png", available=True), Slot(blob_key="B"))),
}


def stored(document: Document) -> Document:
    """What a server gives back."""
    decoded: Document = bson.decode(bson.encode(document))
    return decoded


@table("job", JOBS.values(), ids=JOBS)
def test_a_job_comes_back_as_it_was(job: Job) -> None:
    assert job_of(stored(job_document(job, FIRST_EPOCH))) == job


def test_a_resource_without_hashes_is_stored_as_it_always_was() -> None:
    plain, hashed = job_document(make_job(), FIRST_EPOCH)["resources"]
    assert plain.keys() == {"air", "fileName", "trainedWords"}
    assert hashed["hashes"] == ["3f34446ec06e", "c87e3019"]


@given(request=FREE_JSON, at=MOMENTS, cost=st.floats(0, 1e9), timeout=st.timedeltas(timedelta(), timedelta(days=10**8)))
def test_free_json_times_and_numbers_lose_nothing(
    request: JsonObject, at: datetime, cost: float, timeout: timedelta
) -> None:
    job = replace(make_job(), spec=request, properties=request, created_at=at, cost=cost, timeout=timeout)
    assert job_of(stored(job_document(job, FIRST_EPOCH))) == job


def test_a_job_without_properties_and_receiver_has_no_field_of_theirs() -> None:
    assert (
        job_document(replace(make_job(), properties={}), FIRST_EPOCH)
        .keys()
        .isdisjoint({"leaves", "callback", "endedAt"})
    )


@table(
    ("name", "holding", "spent", "images"),
    [
        ("queued", {"queuedIn", "openIn"}, make_job().cost, 0),
        ("claimed", {"openIn"}, make_job().cost, 0),
        ("waiting", {"waitsIn", "openIn"}, make_job().cost, 0),
        ("back", {"queuedIn", "openIn"}, make_job().cost, 0),
        ("succeeded", set(), make_job().cost, 2),
        ("failed", set(), 0, 0),
        ("told of", {"queuedIn", "openIn"}, 0, 0),
        ("assets", {"queuedIn", "openIn"}, make_job().cost, 0),
        ("moved by time", {"queuedIn", "openIn"}, make_job().cost, 0),
        ("moved by requests", {"openIn"}, make_job().cost, 0),
    ],
)
def test_a_job_says_in_short_what_is_asked_of_many(name: str, holding: set[str], spent: float, images: int) -> None:
    """What holds of it has its epoch as the value."""
    document = job_document(JOBS[name], 7)
    found = {member: document[member] for member in ("queuedIn", "waitsIn", "openIn")}
    assert {member: epoch for member, epoch in found.items() if epoch is not None} == dict.fromkeys(holding, 7)
    assert (document["epoch"], document["spent"], document["images"]) == (7, spent, images)


@pytest.mark.parametrize(("epoch", "key"), [(SHARED_EPOCH, "name"), (FIRST_EPOCH, "name"), (2, "2/name")])
def test_a_key_is_the_name_itself_in_the_epoch_of_earlier_versions(epoch: int, key: str) -> None:
    assert key_in(epoch, "name") == key
    assert name_of(key) == "name"


POSITIONS = st.builds(Position, MOMENTS, st.uuids().map(str), st.uuids().map(str))


@given(st.lists(POSITIONS, min_size=2, max_size=2))
def test_the_text_of_positions_sorts_as_they_do(positions: list[Position]) -> None:
    assert sorted(map(position_text, positions)) == [position_text(position) for position in sorted(positions)]


def test_of_two_submissions_the_one_whose_id_begins_the_other_comes_first() -> None:
    short, long = Position(START, "a", "z"), Position(START, "a-b", "a")
    assert short < long
    assert position_text(short) < position_text(long)


@pytest.mark.parametrize(("since", "until"), [(None, None), (0, None), (None, 0), (0, 1), (-1, 0), (1, None), (0, 0)])
def test_a_position_lies_in_the_time_in_which_the_job_was_created(since: int | None, until: int | None) -> None:
    first, last = (None if second is None else START + second * SECOND for second in (since, until))
    bounds = born_filter(since=first, until=last).get("position", {})
    text = position_text(Position(START, "a", "b"))
    inside = bounds.get("$gte", "") <= text and ("$lt" not in bounds or text < bounds["$lt"])
    assert inside == ((first is None or first <= START) and (last is None or last > START))


def test_a_search_asks_only_for_what_matters() -> None:
    assert criteria_filter(JobCriteria()) == {}
    found = property_paths({"a": 1, "b": {"c": [2]}})
    before = Position(START, "a", "b")
    assert criteria_filter(JobCriteria(issued_by="me", job_type="T", property_paths=found, before=before)) == {
        "issuedBy": "me",
        "type": "T",
        "leaves": {"$all": leaf_digests(found)},
        "position": {"$lt": position_text(before)},
    }


@table("job", JOBS.values(), ids=JOBS)
def test_an_event_comes_back_from_its_own_document_and_from_the_job(job: Job) -> None:
    (own,) = map(stored, event_documents(job, [job.last_event], FIRST_EPOCH))
    assert copied_events(stored(job_document(job, FIRST_EPOCH))) == [own]
    assert event_of(job.id, own, texts_of(stored(job_document(job, FIRST_EPOCH)))) == job.last_event


@given(st.lists(MOMENTS, min_size=2, max_size=2))
def test_the_text_of_moments_sorts_as_they_do(moments: list[datetime]) -> None:
    assert sorted(moments) == [parse_moment(text) for text in sorted(map(moment_text, moments))]


@given(FREE_JSON)
def test_a_resource_keeps_every_field(fields: JsonObject) -> None:
    resource = make_resource("SDXL:Checkpoint:Civitai:101055@128078", **{"nul\0name": 1, "$set": {}, **fields})
    assert resource_of(stored(resource_document(resource, SHARED_EPOCH))) == resource


def test_an_air_whose_text_would_be_parsed_otherwise_keeps_its_parts() -> None:
    odd = replace(make_resource(), air=Air(source="civitai", id="1", type="lora", version="2", format="safetensors"))
    assert resource_of(stored(resource_document(odd, SHARED_EPOCH))) == odd


def test_a_job_of_an_earlier_version_asked_for_no_kind_of_client() -> None:
    document = job_document(make_job(), FIRST_EPOCH)
    del document["clientCompat"]
    assert job_of(document) == make_job()


VERSION_2 = [
    {"version": "2"},
    {"version": {"$gte": "2%", "$lt": "2-"}},
    {"version": {"$gte": "2.", "$lt": "20"}},
    {"version": {"$gte": "2:", "$lt": "2a"}},
]


@pytest.mark.parametrize(
    ("reference", "matching"),
    [
        ("urn:air:SDXL:lora:Civitai:1@2", {"source": "civitai", "$or": VERSION_2}),
        ("@CIVITAI/2+7", {"source": "civitai", "$or": VERSION_2}),
        ("civitai:1A@2B", {"source": "civitai", "resourceId": {"$in": ["1a", "1a"]}}),
        ("sdxl:civitai:1", {"source": "civitai", "resourceId": {"$in": ["1", "1"]}}),
        ("civitai:1.ckpt", {"source": "civitai", "resourceId": {"$in": ["1.ckpt", "1"]}}),
        ("urn:air:sd1:lora:HuggingFace:A/b@2", {"source": "huggingface", "resourceId": {"$in": ["a/b", "a/b"]}}),
    ],
)
def test_a_reference_is_looked_for_by_what_it_names(reference: str, matching: Document) -> None:
    parsed = parse_reference(reference)
    assert isinstance(parsed, Air | CompressedAir)
    assert reference_filter(parsed) == matching


def test_a_search_without_text_scans_nothing_for_it() -> None:
    assert resource_search_filter("") == {}


def test_two_roles_cannot_share_a_collection() -> None:
    with pytest.raises(ValueError, match="jobs, jobs"):
        CollectionNames(resources="jobs")
