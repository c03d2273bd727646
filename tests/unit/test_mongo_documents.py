"""Domain values come back from BSON as they went in."""

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from civitai_mock.domain.air import Air, CompressedAir, parse_reference
from civitai_mock.domain.job import Job
from civitai_mock.domain.json import Json, JsonObject
from civitai_mock.domain.stages import Outcome, Stage
from civitai_mock.storage.mongo.collections import CollectionNames, Document
from civitai_mock.storage.mongo.encoding import moment_text, parse_moment
from civitai_mock.storage.mongo.event_documents import copied_last_event, event_of, last_event_document
from civitai_mock.storage.mongo.job_documents import job_document, job_of
from civitai_mock.storage.mongo.resource_documents import (
    reference_filter,
    resource_document,
    resource_of,
    search_filter,
)
from tests.support.jobs import LEASE, make_claim, make_job, make_resource, succeeded
from tests.support.system import START

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
RUNNING = CLAIMED.entered(Stage.CLAIMED, at=START + timedelta(microseconds=1), lease=LEASE, context={"a": None})
JOBS = {
    "queued": make_job(),
    "claimed": CLAIMED,
    "running": RUNNING,
    "back": RUNNING.released(at=START, reason="stopping"),
    "succeeded": succeeded(CLAIMED),
    "failed": RUNNING.ended(Outcome.FAILED, at=START, context=HOSTILE),
    "hostile": replace(make_job(), request=HOSTILE, properties=HOSTILE),
}


def stored(document: Document) -> Document:
    """What a server gives back."""
    decoded: Document = bson.decode(bson.encode(document))
    return decoded


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_a_job_comes_back_as_it_was(job: Job) -> None:
    assert job_of(stored(job_document(job))) == job


@given(request=FREE_JSON, at=MOMENTS, cost=st.floats(0, 1e9), timeout=st.timedeltas(timedelta(), timedelta(days=10**8)))
def test_free_json_times_and_numbers_lose_nothing(
    request: JsonObject, at: datetime, cost: float, timeout: timedelta
) -> None:
    job = replace(make_job(), request=request, properties=request, created_at=at, cost=cost, timeout=timeout)
    assert job_of(stored(job_document(job))) == job


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
def test_an_event_comes_back_from_its_own_document_and_from_the_job(job: Job) -> None:
    own, held = stored(last_event_document(job)), copied_last_event(stored(job_document(job)))
    assert own == held
    assert event_of(job.id, own) == job.last_event


@given(st.lists(MOMENTS, min_size=2, max_size=2))
def test_the_text_of_moments_sorts_as_they_do(moments: list[datetime]) -> None:
    assert sorted(moments) == [parse_moment(text) for text in sorted(map(moment_text, moments))]


@given(FREE_JSON)
def test_a_resource_keeps_every_field(fields: JsonObject) -> None:
    resource = make_resource("SDXL:Checkpoint:Civitai:101055@128078", **{"nul\0name": 1, "$set": {}, **fields})
    assert resource_of(stored(resource_document(resource))) == resource


def test_an_air_whose_text_would_be_parsed_otherwise_keeps_its_parts() -> None:
    odd = replace(make_resource(), air=Air(source="civitai", id="1", type="lora", version="2", format="safetensors"))
    assert resource_of(stored(resource_document(odd))) == odd


@pytest.mark.parametrize(
    ("reference", "matching"),
    [
        ("urn:air:SDXL:lora:Civitai:1@2", {"airKey": "urn:air:sdxl:lora:civitai:1@2"}),
        ("@Civitai/2B", {"source": "civitai", "version": "2b"}),
        ("civitai:1A@2", {"source": "civitai", "version": "2", "resourceId": "1a"}),
        ("sdxl:civitai:1", {"source": "civitai", "version": None, "resourceId": "1"}),
    ],
)
def test_a_reference_is_looked_for_by_what_it_names(reference: str, matching: Document) -> None:
    parsed = parse_reference(reference)
    assert isinstance(parsed, Air | CompressedAir)
    assert reference_filter(parsed) == matching


def test_a_search_without_text_scans_nothing_for_it() -> None:
    assert search_filter("") == {}


def test_two_roles_cannot_share_a_collection() -> None:
    with pytest.raises(ValueError, match="jobs, jobs"):
        CollectionNames(resources="jobs")
