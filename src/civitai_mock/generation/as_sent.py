"""Requests that are complete as they were sent."""

from abc import abstractmethod
from collections.abc import Mapping
from typing import ClassVar

from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import JsonObject
from civitai_mock.domain.resource import Resource
from civitai_mock.generation.job_request import JobRequest, Plan
from civitai_mock.generation.network_choice import job_resource
from civitai_mock.generation.skeleton import Skeleton
from civitai_mock.generation.work import JobWork


class AsSentRequest(JobRequest):
    """Nothing is filled in: its members are stored, and shown, as they are.

    `cost` is in Buzz, whatever the request says; `images` is the number of pictures that come of it.
    """

    cost: ClassVar[float]
    images: ClassVar[int] = 0

    def references(self) -> Mapping[str, str]:
        return {}

    def plan(self, *, resources: Mapping[str, Resource], seed: int) -> Plan:  # noqa: ARG002 - nothing is left open
        named = tuple(job_resource(resources[text]) for text in self.references().values())
        return Plan(request=self.own_members(), resources=named, cost=self.cost, images=self.images)

    def own_members(self) -> JsonObject:
        """Those that only this type has."""
        return self.model_dump(mode="json", exclude=set(JobRequest.model_fields), exclude_none=True)

    @classmethod
    def work(cls, job: Job, skeletons: Mapping[str, Skeleton]) -> JobWork:  # noqa: ARG003 - no graph is built
        return cls.model_validate(job.request).order()

    @abstractmethod
    def order(self) -> JobWork:
        """The work that this request asks for."""

    @classmethod
    def describe(cls, job: Job) -> JsonObject:
        return dict(job.request)
