"""What a job for pictures comes to: a graph, and all that this needs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from civitai_mock.domain.errors import JobError
from civitai_mock.domain.job import Job, JobResource
from civitai_mock.generation.control_nets.job import JobControlNets
from civitai_mock.generation.ecosystem import Ecosystem
from civitai_mock.generation.ecosystems import find_ecosystem
from civitai_mock.generation.network import KINDS, Network, NetworkKind
from civitai_mock.generation.network_params import CompleteNetwork
from civitai_mock.generation.network_tags import Tags, read_tags
from civitai_mock.generation.picture.graphs import Picture
from civitai_mock.generation.picture.job_extras import JobExtras
from civitai_mock.generation.picture.request import CompleteTextToImage
from civitai_mock.generation.skeleton import Skeleton
from civitai_mock.generation.work import GraphWork


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureJob:
    """`resources` are the job's by their AIRs."""

    job_id: str
    request: CompleteTextToImage
    ecosystem: Ecosystem
    resources: Mapping[str, JobResource]

    def work(self, skeletons: Mapping[str, Skeleton]) -> GraphWork:
        extras, control_nets = self._extras(), self._control_nets()
        kind = self.ecosystem.kind(self.request.model_kind)
        tags = read_tags(self.request.params.prompt or "")
        picture = self._picture(extras, control_nets, tags)
        shapes = [skeletons[name] for name in kind.skeletons]
        graph, *alternatives = picture.graphs(shapes)
        return GraphWork(
            graph=graph,
            alternatives=tuple(alternatives),
            images=(*extras.images, *control_nets.images),
            roles=(*self.ecosystem.roles, *control_nets.roles),
            words_name_embeddings=True,
            tags=picture.tags_by_node(shapes[0]),
            ignored_tags=tuple(tags.ignored),
        )

    def _picture(self, extras: JobExtras, control_nets: JobControlNets, tags: Tags) -> Picture:
        return Picture(
            ecosystem=self.ecosystem,
            model_file=self.resources[self.request.model].file_name,
            params=self.request.params,
            networks=self._networks(),
            tags=tags.applied,
            quantity=self.request.quantity,
            file_prefix=self.job_id,
            features=extras.features,
            variants=control_nets.variants,
        )

    def _networks(self) -> Sequence[tuple[NetworkKind, Network]]:
        named = self.request.additional_networks.items()
        return [_network(self.resources[air], network) for air, network in named]

    def _extras(self) -> JobExtras:
        request = self.request
        return JobExtras(params=request.params, job_id=self.job_id, quantity=request.quantity, files=self._files)

    def _control_nets(self) -> JobControlNets:
        return JobControlNets(
            control_nets=self.request.control_nets,
            job_id=self.job_id,
            ecosystem=self.ecosystem.name,
            files=self._files,
            shorter_side=min(self.request.params.size),
        )

    @property
    def _files(self) -> Mapping[str, str]:
        return {air: resource.file_name for air, resource in self.resources.items()}


def picture_job(job: Job) -> PictureJob:
    """Raise `JobError` for one whose ecosystem is gone since it was stored."""
    request = CompleteTextToImage.model_validate(job.request)
    resources = {str(resource.air): resource for resource in job.resources}
    ecosystem = find_ecosystem(resources[request.model].air)
    if ecosystem is None:
        raise JobError(f"The ecosystem of '{request.model}' is not known any more.")
    return PictureJob(job_id=job.id, request=request, ecosystem=ecosystem, resources=resources)


def _network(resource: JobResource, params: CompleteNetwork) -> tuple[NetworkKind, Network]:
    network = Network(
        file_name=resource.file_name,
        strength=params.strength,
        trigger_word=params.trigger_word,
        trained_words=resource.trained_words,
    )
    return KINDS[params.type.lower()], network
