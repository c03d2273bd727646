"""Change workflows at the request of their owners: what describes them, who pays, their steps, and that they end."""

from collections.abc import Callable, Sequence

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import ConflictError, InsufficientBuzzError, NotFoundError, fault, refused
from civitai_mock.domain.json_patch import PatchOperation, apply_patch, check_places
from civitai_mock.domain.json_types import Json, JsonObject, ReadOnlyJson, as_object
from civitai_mock.domain.money import Balances
from civitai_mock.domain.references import NamedStep, link_steps, place_of_source
from civitai_mock.domain.workflow import Workflow, WorkflowSnapshot, WorkflowStatus, checked_tags
from civitai_mock.domain.workflow_cost import upgraded
from civitai_mock.ports import Clock, WorkflowStore
from civitai_mock.ports.steps import StepTypes
from civitai_mock.services.event_bus import EventBus
from civitai_mock.services.workflows.advance import AdvanceWorkflows
from civitai_mock.services.workflows.late_inputs import with_arguments
from civitai_mock.services.workflows.query import QueryWorkflows, is_over
from civitai_mock.services.workflows.step_jobs import input_path

# Shows a workflow or, by its place, one of its steps as an answer does: a JSON Patch is applied to that.
Render = Callable[[WorkflowSnapshot], JsonObject]
RenderStep = Callable[[WorkflowSnapshot, int], JsonObject]

METADATA, TAGS, STATUS, MATURE, INPUT = "metadata", "tags", "status", "allowMatureContent", "input"
OF_WORKFLOWS, OF_STEPS = (METADATA, TAGS, STATUS, MATURE), (METADATA, INPUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowUpdate:
    """Says what is to be changed; None keeps what there is."""

    cancels: bool = False
    tags: Sequence[str] | None = None
    metadata: ReadOnlyJson | None = None
    allow_mature_content: bool | None = None


NOTHING = WorkflowUpdate()
Decide = Callable[[WorkflowSnapshot], WorkflowUpdate]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeWorkflows:
    """Changes workflows of an owner (for owner None, of everybody).

    Each method raises `NotFoundError` for a workflow or a step that does not exist, and `InvalidRequestError` for a
    change that cannot be made: then nothing is changed.
    """

    workflows: WorkflowStore
    query: QueryWorkflows
    advance: AdvanceWorkflows
    step_types: StepTypes
    event_bus: EventBus
    clock: Clock
    get_balances: Callable[[], Balances]

    async def update(self, workflow_id: str, update: WorkflowUpdate, *, owner: str | None) -> None:
        """Replace whole members; one that is over is not canceled any more, which is no fault."""
        await self._change(workflow_id, lambda _: update, owner=owner)

    async def patch(
        self, workflow_id: str, operations: Sequence[PatchOperation], render: Render, *, owner: str | None
    ) -> None:
        """Apply a JSON Patch to the workflow as `render` shows it; metadata, tags, status and maturity can change."""
        check_places(operations, OF_WORKFLOWS)

        def decide(snapshot: WorkflowSnapshot) -> WorkflowUpdate:
            shown = render(snapshot)
            return _update_between(shown, as_object(apply_patch(shown, operations)))

        await self._change(workflow_id, decide, owner=owner)

    async def add_tag(self, workflow_id: str, tag: str, *, owner: str | None) -> None:
        """Add a tag that may be there already."""
        await self._change(workflow_id, lambda found: WorkflowUpdate(tags=(*found.workflow.tags, tag)), owner=owner)

    async def remove_tag(self, workflow_id: str, tag: str, *, owner: str | None) -> None:
        """Remove a tag that may be gone already."""

        def decide(found: WorkflowSnapshot) -> WorkflowUpdate:
            return WorkflowUpdate(tags=[other for other in found.workflow.tags if other != tag])

        await self._change(workflow_id, decide, owner=owner)

    async def remove_all_tags(self, workflow_id: str, *, owner: str | None) -> None:
        await self._change(workflow_id, lambda _: WorkflowUpdate(tags=()), owner=owner)

    async def delete(self, workflow_id: str, *, owner: str | None) -> None:
        """Let nobody find a workflow any more; one that is not over is canceled first."""
        snapshot = await self.query.by_id(workflow_id, owner=owner)
        if not is_over(snapshot):
            await self.update(workflow_id, WorkflowUpdate(cancels=True), owner=owner)
        while True:
            snapshot = await self.query.find(workflow_id, owner=owner)
            if await self.workflows.delete(snapshot.workflow):
                self.event_bus.publish_workflows([snapshot.workflow.id])
                return

    async def update_step(self, workflow_id: str, name: str, metadata: ReadOnlyJson, *, owner: str | None) -> None:
        """Replace the metadata of a step."""
        while True:
            snapshot = await self.query.by_id(workflow_id, owner=owner)
            before = snapshot.workflow
            if await self._replace(before, before.with_step(step_place(before, name), metadata=metadata)):
                return

    async def patch_step(
        self,
        workflow_id: str,
        name: str,
        operations: Sequence[PatchOperation],
        render: RenderStep,
        *,
        owner: str | None,
    ) -> None:
        """Apply a JSON Patch to a step as `render` shows it.

        Its metadata can change, and its input as long as the step waits for others; then raise `ConflictError`.
        """
        check_places(operations, OF_STEPS)
        while True:
            snapshot = await self.query.by_id(workflow_id, owner=owner)
            before = snapshot.workflow
            place = step_place(before, name)
            shown = render(snapshot, place)
            patched = as_object(apply_patch(shown, operations))
            metadata = _object_at(patched, METADATA)
            after = before.with_step(place, metadata=metadata)
            if patched.get(INPUT) != shown.get(INPUT):
                after = self._with_input(after, place, patched.get(INPUT))
            if await self._replace(before, after):
                return

    async def _change(self, workflow_id: str, decide: Decide, *, owner: str | None) -> None:
        """Decide again if somebody else has changed the workflow meanwhile."""
        while True:
            snapshot = await self.query.by_id(workflow_id, owner=owner)
            update = decide(snapshot)
            if await self._replace(snapshot.workflow, await self._updated(snapshot, update)):
                break
        if update.cancels:
            await self.advance(workflow_id)

    async def _updated(self, snapshot: WorkflowSnapshot, update: WorkflowUpdate) -> Workflow:
        workflow = snapshot.workflow
        tags = None if update.tags is None else checked_tags(update.tags)
        if tags is not None or update.metadata is not None:
            workflow = workflow.described(tags=tags, metadata=update.metadata)
        if update.allow_mature_content is not None:
            workflow = await self._with_maturity(workflow, update.allow_mature_content)
        if update.cancels and not is_over(snapshot):
            workflow = workflow.canceled(at=self.clock.now())
        return workflow

    async def _with_maturity(self, workflow: Workflow, allowed: bool) -> Workflow:
        """Have yellow Buzz pay in the place of what has paid, if that may not; raise a fault if it is too little."""
        changed = workflow.described(allow_mature_content=allowed)
        if not allowed:
            return changed
        try:
            return upgraded(changed, self.get_balances(), await self.workflows.spent(workflow.owner))
        except InsufficientBuzzError as error:
            raise refused(f"insufficientBuzz: {error.message}") from error

    async def _replace(self, before: Workflow, after: Workflow) -> bool:
        if after is before:
            return True
        try:
            written = await self.workflows.replace(before, after, balances=self.get_balances())
        except InsufficientBuzzError as error:
            raise refused(f"insufficientBuzz: {error.message}") from error
        if written:
            self.event_bus.publish_workflows([after.id])
        return written

    def _with_input(self, workflow: Workflow, place: int, step_input: Json) -> Workflow:
        """Return the workflow with another input of a step, checked as that of a submission."""
        step = workflow.steps[place]
        if not step.waits:
            raise ConflictError(f"The step '{step.name}' was started already; its input cannot be changed any more.")
        echo = self.step_types.echo(step.type, step_input, path=INPUT)
        named = [
            NamedStep(name=other.name, type=other.type, input=echo if index == place else other.input)
            for index, other in enumerate(workflow.steps)
        ]
        sources = link_steps(named, dict(workflow.arguments))[place].sources
        complete = with_arguments(step.type, echo, workflow.arguments)
        if complete != echo:
            complete = self.step_types.echo(step.type, complete, path=input_path(place))
        return workflow.with_step(place, input=complete, sources=sources)


def step_place(workflow: Workflow, name: str) -> int:
    """Return the place of a step by its name, or by `$0`, `$1`…; raise `NotFoundError` if there is none."""
    places = {step.name: place for place, step in reversed(list(enumerate(workflow.steps)))}
    place = place_of_source(name, places)
    if place is None:
        raise NotFoundError(f"The workflow '{workflow.id}' has no step '{name[:100]}'.")
    return place


def _update_between(shown: JsonObject, patched: JsonObject) -> WorkflowUpdate:
    """Return what a patch has changed; raise a fault for what a member cannot become."""
    status, tags, mature = patched.get(STATUS), patched.get(TAGS, []), patched.get(MATURE)
    cancels = status != shown.get(STATUS)
    if cancels and status != WorkflowStatus.CANCELED:
        raise fault(STATUS, f"status can only become canceled; found {status!r}.")
    if not isinstance(tags, list) or not all(isinstance(tag, str) for tag in tags):
        raise fault(TAGS, "tags must be an array of strings.")
    if mature is not None and not isinstance(mature, bool):
        raise fault(MATURE, "allowMatureContent must be true or false.")
    return WorkflowUpdate(
        cancels=cancels,
        tags=None if tags == shown.get(TAGS) else [str(tag) for tag in tags],
        metadata=None if patched.get(METADATA) == shown.get(METADATA) else _object_at(patched, METADATA),
        allow_mature_content=None if mature == shown.get(MATURE) else mature,
    )


def _object_at(document: JsonObject, member: str) -> JsonObject:
    value = document.get(member, {})
    if not isinstance(value, dict):
        raise fault(member, f"{member} must be an object.")
    return value
