"""What changes in records that come into another namespace, or another server: who works, and where blobs are."""

import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from civitai_mock.domain.changed import changed
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import Json, ReadOnlyJson
from civitai_mock.domain.namespaces import DEFAULT
from civitai_mock.domain.workflow import WorkflowStep
from civitai_mock.ports.snapshots import JobRecord, WorkflowRecord
from civitai_mock.services.blob_urls import OwnBlobLinks

NAME = "/ns/[A-Za-z0-9._-]{1,64}"
# The end of a base path: that of the namespace, and of the kind of client.
BASE_PATH = re.compile(rf"(?:{NAME})?(?P<compat>/compat/[^/]*)?\Z", re.ASCII)
LONGEST_URL = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class MovedRecords:
    """Makes of records of a snapshot those of the namespace `name`, whose `links` sign URLs.

    A URL of one of our blobs in what was asked for leads to the same blob in this namespace, with its signature.
    """

    name: str
    links: OwnBlobLinks

    def job(self, record: JobRecord) -> JobRecord:
        """Return a job that nobody holds, in the stage that it has come to, from which any worker goes on."""
        return replace(record, job=changed(record.job, claim=None, spec=self._object(record.job.spec)))

    def workflow(self, record: WorkflowRecord) -> WorkflowRecord:
        """Return a workflow whose callbacks get URLs of this namespace, too."""
        workflow = record.workflow
        moved = changed(
            workflow,
            base_url=self._base_url(workflow.base_url),
            arguments=self._object(workflow.arguments),
            steps=tuple([self._step(step) for step in workflow.steps]),
        )
        return replace(record, workflow=moved)

    def _step(self, step: WorkflowStep) -> WorkflowStep:
        return changed(step, input=self._value(step.input))

    def _object(self, members: ReadOnlyJson) -> Mapping[str, Json]:
        return {name: self._value(value) for name, value in members.items()}

    def _value(self, value: Json) -> Json:
        if isinstance(value, dict):
            return {name: self._value(each) for name, each in value.items()}
        if isinstance(value, list):
            return [self._value(each) for each in value]
        return self._text(value) if isinstance(value, str) and _may_be_signed(value) else value

    def _text(self, text: str) -> str:
        try:
            signed = self.links.signed_again(text)
            path = urlsplit(text).path
        except ValueError:
            return text
        if signed is None:
            return text
        base_path = re.sub(r"/(?:v2/consumer/(?:streaming-)?)?blobs/[^/]*\Z", "", path)
        return signed.replace(path, self._base_url(base_path) + path.removeprefix(base_path), 1)

    def _base_url(self, base_url: str) -> str:
        here = "" if self.name == DEFAULT else f"/ns/{self.name}"
        return BASE_PATH.sub(lambda found: here + (found["compat"] or ""), base_url, count=1)


def _may_be_signed(text: str) -> bool:
    return text.startswith(("http://", "https://")) and len(text) <= LONGEST_URL and "blobs/" in text
