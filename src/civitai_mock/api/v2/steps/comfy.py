"""Step types that run graphs of their callers."""

from collections.abc import Mapping, Sequence
from typing import ClassVar

from civitai_mock.api.v2.blob_documents import date_text
from civitai_mock.api.v2.steps.image_members import image_count
from civitai_mock.api.v2.steps.step_type import Blobs, OneJobStep, StepInput, StepType, check_count, slots_of
from civitai_mock.domain.air import Air
from civitai_mock.domain.blob import Slot
from civitai_mock.domain.cost import StepCost
from civitai_mock.domain.dotnet import plain_number
from civitai_mock.domain.errors import invalid
from civitai_mock.domain.job import Job
from civitai_mock.domain.json_types import Json, JsonObject, as_number, as_object, as_text, as_texts
from civitai_mock.generation.graph import Graph
from civitai_mock.generation.job_types.comfy import LEAST_COST, ComfyDraft
from civitai_mock.generation.job_types.node_packs import NodePacksSpec, layer_air
from civitai_mock.generation.media import ImageFile, ImageFormat
from civitai_mock.generation.output_names import TRACE, is_preview, node_of_asset
from civitai_mock.generation.user_graph import file_references, graph_cost, graph_faults, prompt_texts, with_later_seeds
from civitai_mock.ports.steps import JobMaker, StepJobs

SPELLINGS: Mapping[str, str] = {"classType": "class_type", "meta": "_meta"}
BUZZ_PER_SECOND = 1
LEAST_SECONDS = 30  # that a graph is charged for
NO_TRACE = "none"
MOST_NODE_PACKS = 100


class Comfy(StepType):
    """Runs a graph `quantity` times, each time with the seeds that follow."""

    name: ClassVar[str] = "comfy"
    MEMBER: ClassVar[str] = "comfyWorkflow"

    def cost(self, step_input: StepInput) -> StepCost:
        graph = _api_format(as_object(step_input).get(self.MEMBER))
        return StepCost(factors={"base": max(graph_cost(graph), LEAST_COST), "quantity": image_count(step_input)})

    def prompt_texts(self, step_input: StepInput) -> Sequence[str]:
        return prompt_texts(_api_format(as_object(step_input).get(self.MEMBER)))

    def job_maker(self, step_input: StepInput) -> JobMaker:
        return lambda _: self._jobs(step_input)

    def _jobs(self, step_input: StepInput) -> StepJobs:
        graph = _checked(step_input[self.MEMBER], self.MEMBER)
        note = as_text(step_input.get("imageMetadata"))
        file = ImageFile(format=ImageFormat.PNG, note=note) if note else None
        counted = range(image_count(step_input))
        drafts = [ComfyDraft(graph=with_later_seeds(graph, place), file=file) for place in counted]
        return StepJobs(drafts=drafts, paths={"graph.": f"{self.MEMBER}."})

    def output(self, step_input: StepInput, jobs: Sequence[Job], blobs: Blobs) -> JsonObject | None:
        slots = list(slots_of(jobs))
        return {"blobs": [blobs.render(slot) for slot in slots]} if slots else None


class CustomComfy(StepType):
    """Runs a graph on a server that has its `resources`, among which is each file that the graph names by an AIR."""

    name: ClassVar[str] = "customComfy"
    MEMBER: ClassVar[str] = "workflow"

    def cost(self, step_input: StepInput) -> StepCost:
        seconds = max(as_number(as_object(step_input).get("minimumDurationSeconds")) or 0, LEAST_SECONDS)
        return StepCost(factors={"base": BUZZ_PER_SECOND, "seconds": seconds})

    def prompt_texts(self, step_input: StepInput) -> Sequence[str]:
        return prompt_texts(_api_format(as_object(step_input).get(self.MEMBER)))

    def job_maker(self, step_input: StepInput) -> JobMaker:
        return lambda _: self._jobs(step_input)

    def _jobs(self, step_input: StepInput) -> StepJobs:
        graph, resources = _checked(step_input[self.MEMBER], self.MEMBER), as_texts(step_input["resources"])
        _check_listed(graph, resources)
        draft = ComfyDraft(
            graph=graph,
            resources={f"resources[{index}]": air for index, air in enumerate(resources)},
            is_custom=True,
            has_trace=as_text(step_input.get("trace")) not in {"", NO_TRACE},
        )
        return StepJobs(drafts=[draft], paths={"graph.": f"{self.MEMBER}."})

    def output(self, step_input: StepInput, jobs: Sequence[Job], blobs: Blobs) -> JsonObject | None:
        graph = _api_format(step_input[self.MEMBER])
        slots, trace = [slot for slot in slots_of(jobs) if slot.name != TRACE], _trace_url(jobs, blobs)
        output: JsonObject = {
            "blobs": [blobs.render(slot) for slot in slots if not _is_temp(slot, graph)],
            **({} if trace is None else {"traceUrl": trace}),
            "tempBlobs": [blobs.render(slot) for slot in slots if _is_temp(slot, graph)],
        }
        usage = [_usage(job, step_input) for job in jobs]
        return {**output, "usage": usage[-1]} if usage else output


def _api_format(nodes: Json) -> Graph:
    """Return a graph with the names that ComfyUI has for the members of nodes; the description has others."""
    return {node_id: as_object(_spelled(node)) for node_id, node in as_object(nodes).items()}


def _spelled(node: Json) -> Json:
    return {SPELLINGS.get(name, name): value for name, value in node.items()} if isinstance(node, dict) else node


def _checked(nodes: Json, path: str) -> Graph:
    """Return a graph; raise `InvalidRequestError` with each fault by its path in the input."""
    spelled = {node_id: _spelled(node) for node_id, node in nodes.items()} if isinstance(nodes, dict) else nodes
    faults: dict[str, list[str]] = {}
    for way, message in graph_faults(spelled):
        faults.setdefault(".".join((path, *way)), []).append(message)
    if faults:
        raise invalid(faults)
    return _api_format(nodes)


def _check_listed(graph: Graph, resources: Sequence[str]) -> None:
    listed = {Air.parse(air).identity for air in resources}
    missing = {
        f"workflow.{place}": [f"'{air}' must be among the resources, too; found {len(resources)} others."]
        for place, air in file_references(graph).items()
        if Air.parse(air).identity not in listed
    }
    if missing:
        raise invalid(missing)


def _is_temp(slot: Slot, graph: Graph) -> bool:
    return is_preview(as_text(as_object(graph.get(node_of_asset(slot.name or ""))).get("class_type")))


def _trace_url(jobs: Sequence[Job], blobs: Blobs) -> Json:
    found = next((slot for slot in slots_of(jobs) if slot.name == TRACE), None)
    return None if found is None else blobs.render(found).get("url")


def _usage(job: Job, step_input: StepInput) -> JsonObject:
    """Return what a run has cost so far: up to the last event of its job, from its claim."""
    at, seconds = job.last_event.at, 0.0
    started: JsonObject = {}
    if job.last_event.claim_duration is not None:
        seconds = job.last_event.claim_duration.total_seconds()
        started = {"startedAt": date_text(at - job.last_event.claim_duration)}
    charged = max(seconds, as_number(step_input.get("minimumDurationSeconds")) or 0)
    return {
        "buzzPerSecond": BUZZ_PER_SECOND,
        "runtimeSeconds": plain_number(round(seconds, 3)),
        "estimatedCost": plain_number(round(charged * BUZZ_PER_SECOND, 3)),
        **started,
        "computedAt": date_text(at),
    }


class ComfyNodepackSnapshot(OneJobStep):
    """Answers an AIR for each pack of nodes, by which graphs of `customComfy` name it among their resources."""

    name: ClassVar[str] = "comfyNodepackSnapshot"
    price: ClassVar[int] = 1
    MEMBERS: ClassVar[Sequence[str]] = ("layer", "objectInfo", "web")

    def draft(self, step_input: StepInput, *, seed: int) -> NodePacksSpec:
        check_count(step_input["nodepacks"], "nodepacks", most=MOST_NODE_PACKS)
        return NodePacksSpec(node_packs=tuple(step_input["nodepacks"]))

    def output(self, step_input: StepInput, jobs: Sequence[Job], blobs: Blobs) -> JsonObject | None:
        files, results = blobs.render_all(jobs), list[Json]()
        for place, node_pack in enumerate(as_texts(step_input["nodepacks"]) if files else ()):
            made = files[place * len(self.MEMBERS) :]
            named: JsonObject = {"nodepack": node_pack, "layerAir": str(layer_air(node_pack))}
            results.append({**named, **dict(zip(self.MEMBERS, made, strict=False))})
        return {"results": results} if results else None
