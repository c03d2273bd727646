"""The ways in which work is done: one for each kind of it."""

from collections.abc import Callable, Mapping
from typing import Any

from civitai_mock.generation.work import (
    BlobWork,
    ClearAssetsWork,
    CopyAssetWork,
    GraphWork,
    JobWork,
    ResultWork,
    TrainingWork,
    TransformWork,
)
from civitai_mock.scheduler.ways.assets import ClearAssetsWay, CopyAssetWay
from civitai_mock.scheduler.ways.blob import BlobWay
from civitai_mock.scheduler.ways.graph import GraphWay
from civitai_mock.scheduler.ways.result import ResultWay
from civitai_mock.scheduler.ways.training import TrainingWay
from civitai_mock.scheduler.ways.transform import TransformWay
from civitai_mock.scheduler.work import Way

# Each takes the work that is its key, which a mapping's type cannot say.
WAYS: Mapping[type[JobWork], Callable[[Any], Way]] = {
    GraphWork: GraphWay,
    ResultWork: ResultWay,
    BlobWork: BlobWay,
    CopyAssetWork: CopyAssetWay,
    ClearAssetsWork: ClearAssetsWay,
    TransformWork: TransformWay,
    TrainingWork: TrainingWay,
}


def way_of(todo: JobWork) -> Way:
    return WAYS[type(todo)](todo)
