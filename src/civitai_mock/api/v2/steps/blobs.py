"""Step types that do something with stored blobs."""

from collections.abc import Sequence
from typing import ClassVar

from civitai_mock.api.v2.steps.step_type import Blobs, ResultStep, StepInput, check_count, result_of
from civitai_mock.domain.dotnet import without_trailing_zeros
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject, as_object, as_text
from civitai_mock.generation.job_types.archives import ArchivedBlob, BlobArchiveSpec

DEFAULT_FORMAT = "zip"
MOST_ENTRIES = 1000


class BlobArchive(ResultStep):
    """Answers the URL of an archive of blobs, which is put together while it is downloaded."""

    name: ClassVar[str] = "blobArchive"

    def draft(self, step_input: StepInput, *, seed: int) -> BlobArchiveSpec:
        check_count(step_input["entries"], "entries", most=MOST_ENTRIES)
        return BlobArchiveSpec(
            entries=tuple(
                ArchivedBlob(key=entry["blobId"], file_name=entry.get("fileName") or entry["blobId"])
                for entry in step_input["entries"]
            ),
            archive_format=_format(step_input),
            name=step_input.get("archiveName"),
        )

    def output(self, step_input: StepInput, jobs: Sequence[Job], blobs: Blobs) -> JsonObject | None:
        found = result_of(jobs)
        return found and {
            "url": blobs.base_url + as_text(found["path"]),
            "entryCount": len(step_input["entries"]),
            "format": _format(step_input),
            "expiresAt": without_trailing_zeros(as_text(found["expiresAt"])),
        }


def _format(step_input: StepInput) -> str:
    return as_text(as_object(step_input).get("format")) or DEFAULT_FORMAT
