"""What can be told of the servers and their prompts while they work."""

from civitai_mock.ports import Preview, Progress, WorkerReport
from civitai_mock.providers.comfyui.workers.run import Run
from civitai_mock.providers.comfyui.workers.worker import Worker


def report_of(worker: Worker) -> WorkerReport:
    return WorkerReport(
        id=worker.id,
        ready=worker.is_ready,
        reason="" if worker.is_ready else worker.reason,
        version=worker.health.version,
        in_flight=worker.in_flight,
        max_in_flight=worker.max_in_flight,
        ecosystems=worker.ecosystems,
        models=worker.health.stock.models,
    )


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
