"""What can be told of the servers and their prompts while they work."""

from civitai_mock.domain.job import JobResource
from civitai_mock.ports import Preview, Progress, WorkerReport
from civitai_mock.providers.comfyui.graphs.catalogue import FOLDERS_OF_TYPES, Catalogue, Names
from civitai_mock.providers.comfyui.graphs.files import match
from civitai_mock.providers.comfyui.workers.run import Run
from civitai_mock.providers.comfyui.workers.worker import Worker


def report_of(worker: Worker) -> WorkerReport:
    return WorkerReport(
        id=worker.id,
        ready=worker.is_ready,
        reason="" if worker.is_ready else worker.reason,
        version=worker.health.version,
        in_flight=worker.in_flight,
        models=(worker.health.catalogue or Catalogue()).models,
    )


def has_file(worker: Worker, resource: JobResource) -> bool:
    """In the folder of its type; of a type that is not known, in any."""
    models = (worker.health.catalogue or Catalogue()).models
    folders = FOLDERS_OF_TYPES.get((resource.air.type or "").lower(), tuple(models))
    return any(match(resource.file_name, Names(models.get(folder, ())), resource.air) for folder in folders)


def progress_of(run: Run) -> Progress | None:
    """None before the first step, and after the end."""
    step, preview = run.tracker.progress, run.tracker.preview
    if step is None or run.ended.is_set():
        return None
    return Progress(
        node_id=step.node_id,
        step=int(step.value),
        steps=int(step.maximum),
        preview=Preview(content_type=preview.content_type, content=preview.content) if preview else None,
    )
