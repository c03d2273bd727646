"""Every `$type`: how it is named, read, planned, stored and shown."""

from dataclasses import replace
from importlib import import_module
from importlib.resources import files
from typing import Any

import pytest

from civitai_mock.api.v1.job_types import (
    JOB_TYPES,
    JOB_TYPES_BY_TYPE,
    REQUESTS,
    parse_request,
    parse_template,
    type_members,
)
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.generation.job_types import JOB_TYPES as STORED
from civitai_mock.generation.work import BlobAction, BlobWork, ClearAssetsWork, CopyAssetWork, TransformWork
from tests.support.generation import plan, planned_job, references_of, work_of
from tests.support.jobs import make_job
from tests.support.table import table
from tests.support.templates import CHECKPOINT, JOB_ID, KEY, MEDIA_URL, TEMPLATES, template

COSTS = {
    "imageResourceTraining": 500,
    "imageTransform": 1,
    "imageEmbedding": 1,
    "mediaTagging": 1,
    "mediaCaptioning": 1,
    "wdTagging": 1,
    "movieRating": 1,
    "prepareModel": 0,
    "copyAsset": 0,
    "clearAssets": 0,
    "blobUpload": 0,
    "blobGet": 0,
    "blobPin": 0,
    "blobUnpin": 0,
    "blobDelete": 0,
}


def test_there_is_a_template_of_every_type() -> None:
    assert set(TEMPLATES) == set(JOB_TYPES)


def test_every_type_is_registered() -> None:
    folder = files("civitai_mock") / "api" / "v1" / "job_types"
    names = {file.name.removesuffix(".py") for file in folder.iterdir() if file.name.endswith(".py")} - {"__init__"}
    found = [import_module(f"civitai_mock.api.v1.job_types.{name}") for name in names]
    defined = {item for module in found for item in vars(module).values() if hasattr(item, "wire_name")}
    assert defined == set(REQUESTS)
    assert len(JOB_TYPES) == len(JOB_TYPES_BY_TYPE) == len(REQUESTS)


def test_every_type_of_v1_is_a_type_that_is_stored() -> None:
    assert set(JOB_TYPES_BY_TYPE) <= set(STORED)
    assert {name: plan(template(name)).spec.job_type for name in TEMPLATES} == {
        name: request.job_type for name, request in JOB_TYPES.items()
    }


@table("name", TEMPLATES)
def test_a_type_is_known_by_its_wire_name_in_any_case_and_by_its_official_template_name(name: str) -> None:
    official, members = TEMPLATES[name]
    for spelling in (name, name.upper(), name.lower(), official, official.lower()):
        assert type(parse_request({"$type": spelling, **members})) is JOB_TYPES[name]


@table("name", TEMPLATES)
def test_what_a_request_asks_for_is_the_same_each_time_that_it_is_read_from_the_store(name: str) -> None:
    assert work_of(template(name)) == work_of(template(name))


@table("name", TEMPLATES)
def test_unknown_members_are_ignored_and_shared_ones_are_not_stored_as_own(name: str) -> None:
    more: JsonObject = {"creatorTip": 0.25, "properties": {"userId": 7}, "name": "mine"}
    assert plan({**template(name), **more}) == plan(template(name))


@table(("name", "cost"), COSTS.items())
def test_costs_other_than_those_of_images_are_fixed(name: str, cost: float) -> None:
    assert plan(template(name)).cost == cost


AS_SENT = sorted(set(TEMPLATES) - {"textToImage", "comfy", "imageResourceTraining"})


@table("name", AS_SENT)
def test_the_detailed_job_shows_the_members_that_were_sent(name: str) -> None:
    job = planned_job(template(name))
    assert JOB_TYPES_BY_TYPE[job.type].describe(job) == TEMPLATES[name][1]


FAULTS: list[tuple[str, dict[str, Json], str]] = [
    ("imageTransform", {"transformer": None}, "transformer"),
    ("imageTransform", {"transformer": "teapot"}, "transformer"),
    ("imageTransform", {"imageUrl": None}, "$"),
    ("imageTransform", {"imageUrl": "fox.png"}, "imageUrl"),
    ("imageTransform", {"blobKey": "../../etc/passwd"}, "blobKey"),
    ("imageTransform", {"destinationUrl": "nowhere"}, "destinationUrl"),
    ("imageEmbedding", {"imageUrl": None}, "imageUrl"),
    ("mediaTagging", {"mediaUrl": None}, "mediaUrl"),
    ("mediaTagging", {"modelId": "3"}, "modelId"),
    ("mediaTagging", {"modelId": None}, "modelId"),
    ("mediaCaptioning", {"mediaUrl": 5}, "mediaUrl"),
    ("mediaCaptioning", {"maxNewTokens": 0}, "maxNewTokens"),
    ("wdTagging", {"model": ""}, "model"),
    ("wdTagging", {"threshold": 1.5}, "threshold"),
    ("movieRating", {"mediaUrl": "a b"}, "mediaUrl"),
    ("prepareModel", {"model": "DreamShaper"}, "model"),
    ("prepareModel", {"action": "Download"}, "action"),
    ("copyAsset", {"jobId": None}, "jobId"),
    ("copyAsset", {"assetName": None}, "assetName"),
    ("copyAsset", {"destinationUri": "here"}, "destinationUri"),
    ("clearAssets", {"jobId": 5}, "jobId"),
    ("blobUpload", {"key": ""}, "key"),
    ("blobUpload", {"replace": "yes please"}, "replace"),
    ("blobGet", {"key": None}, "key"),
    ("blobGet", {"key": "a/b"}, "key"),
    ("blobGet", {"duration": "tomorrow"}, "duration"),
    ("blobGet", {"duration": 5}, "duration"),
    ("blobGet", {"duration": "366.00:00:00"}, "duration"),
    ("blobPin", {"key": "x" * 129}, "key"),
    ("blobUnpin", {"key": "a\0"}, "key"),
    ("blobDelete", {"key": ["a"]}, "key"),
    ("imageResourceTraining", {"model": None}, "model"),
    ("imageResourceTraining", {"trainingData": None}, "trainingData"),
    ("imageResourceTraining", {"params": {"maxTrainEpochs": 0}}, "params.maxTrainEpochs"),
    ("imageResourceTraining", {"params": {"maxTrainEpochs": 101}}, "params.maxTrainEpochs"),
    ("imageResourceTraining", {"params": {"samplePrompts": ["a", 5]}}, "params.samplePrompts[1]"),
]


@table(("name", "members", "path"), FAULTS)
def test_a_fault_is_reported_at_its_path(name: str, members: dict[str, Json], path: str) -> None:
    with pytest.raises(InvalidRequestError) as caught:
        parse_template(template(name, **members))
    assert list(caught.value.errors) == [path]


@pytest.mark.parametrize("action", list(BlobAction))
def test_a_request_about_a_blob_says_what_to_do_with_it(action: BlobAction) -> None:
    work = work_of(template(f"blob{action.capitalize()}"))
    assert isinstance(work, BlobWork)
    assert (work.action, work.key) == (action, KEY)


def test_requests_about_assets_name_the_job_that_has_them() -> None:
    assert work_of(template("copyAsset")) == CopyAssetWork(job_id=JOB_ID, asset_name="epoch-1.safetensors")
    assert work_of(template("clearAssets")) == ClearAssetsWork(job_id=JOB_ID)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ({"imageUrl": MEDIA_URL}, (None, MEDIA_URL)),
        ({"imageUrl": None, "blobKey": KEY}, (KEY, "")),
    ],
)
def test_an_image_to_transform_is_a_blob_or_elsewhere(source: dict[str, Json], expected: tuple[Any, str]) -> None:
    work = work_of(template("imageTransform", **source))
    assert isinstance(work, TransformWork)
    assert (work.blob_key, work.image_url) == expected


def test_the_model_to_prepare_is_a_resource() -> None:
    request: JsonObject = template("prepareModel")
    assert references_of(request) == {"model": CHECKPOINT}
    assert [str(resource.air) for resource in plan(request).resources] == [CHECKPOINT]


def test_a_job_of_a_type_that_v1_does_not_have_shows_no_members_of_its_own() -> None:
    assert type_members(replace(make_job(), type="VideoGen")) == {}
