"""The executors: one for each kind of work."""

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
from civitai_mock.scheduler.executors.blobs import BlobWay, ClearAssetsWay, CopyAssetWay
from civitai_mock.scheduler.executors.context import Way
from civitai_mock.scheduler.executors.graph import GraphWay
from civitai_mock.scheduler.executors.simulated import ResultWay, TrainingWay, TransformWay

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
