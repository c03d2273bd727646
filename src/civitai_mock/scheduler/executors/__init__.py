"""The executors: one for each kind of work."""

from collections.abc import Callable, Mapping
from typing import Any

from civitai_mock.generation.work import (
    ArchiveWork,
    BlobWork,
    ClearAssetsWork,
    CopyAssetWork,
    DerivedWork,
    GraphWork,
    JobWork,
    MediaWork,
    ResultWork,
    TrainingWork,
    TransformWork,
)
from civitai_mock.scheduler.executors.blobs import (
    ArchiveExecutor,
    BlobExecutor,
    ClearAssetsExecutor,
    CopyAssetExecutor,
)
from civitai_mock.scheduler.executors.context import Executor
from civitai_mock.scheduler.executors.graph import GraphExecutor
from civitai_mock.scheduler.executors.media import DerivedExecutor, MediaExecutor
from civitai_mock.scheduler.executors.simulated import ResultExecutor, TrainingExecutor, TransformExecutor

# Each takes the work that is its key, which a mapping's type cannot say.
EXECUTORS: Mapping[type[JobWork], Callable[[Any], Executor]] = {
    GraphWork: GraphExecutor,
    ResultWork: ResultExecutor,
    MediaWork: MediaExecutor,
    DerivedWork: DerivedExecutor,
    BlobWork: BlobExecutor,
    CopyAssetWork: CopyAssetExecutor,
    ClearAssetsWork: ClearAssetsExecutor,
    ArchiveWork: ArchiveExecutor,
    TransformWork: TransformExecutor,
    TrainingWork: TrainingExecutor,
}


def executor_for(work: JobWork) -> Executor:
    return EXECUTORS[type(work)](work)
