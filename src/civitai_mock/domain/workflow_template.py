"""What was asked for: a workflow before it has an id, jobs and a price."""

from collections.abc import Sequence
from dataclasses import field
from datetime import timedelta

from civitai_mock.domain.cost import Tips
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import Json, ReadOnlyJson
from civitai_mock.domain.money import Account
from civitai_mock.domain.workflow import Callback, UpgradeMode, Workflow


@dataclass(frozen=True, slots=True, kw_only=True)
class StepTemplate:
    """Is one step that was asked for; `input` is its echo, in which references are not resolved yet."""

    type: str
    name: str
    input: Json
    priority: str = "low"
    timeout: timedelta | None = None
    retries: int | None = None
    metadata: ReadOnlyJson = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowTemplate:
    """Is a workflow that was asked for: each member is right by itself, and has its default if it was not sent.

    Whether names differ and references lead somewhere is not checked yet (see `link_steps`). One that `is_repeated` is
    given again for each equal request, and nothing in it is ever changed.
    """

    steps: Sequence[StepTemplate]
    tags: tuple[str, ...] = ()
    metadata: ReadOnlyJson = field(default_factory=dict)
    arguments: ReadOnlyJson = field(default_factory=dict)
    callbacks: tuple[Callback, ...] = ()
    currencies: tuple[Account, ...] = ()
    upgrade_mode: UpgradeMode = UpgradeMode.AUTOMATIC
    tips: Tips = field(default_factory=Tips)
    experimental: bool | None = None
    nsfw_level: str | None = None
    allow_mature_content: bool | None = None
    is_ephemeral: bool = False
    external_id: str | None = None
    is_repeated: bool = field(default=False, repr=False)


def template_of(workflow: Workflow) -> WorkflowTemplate:
    """Return what a workflow was made of, without its external id, which no other one may have."""
    steps = [
        StepTemplate(
            type=step.type,
            name=step.name,
            input=step.input,
            priority=step.priority,
            timeout=step.timeout,
            retries=step.retries,
            metadata=step.metadata,
        )
        for step in workflow.steps
        if step.spawned_by is None
    ]
    return WorkflowTemplate(
        steps=steps,
        tags=workflow.tags,
        metadata=workflow.metadata,
        arguments=workflow.arguments,
        callbacks=workflow.callbacks,
        currencies=workflow.currencies,
        upgrade_mode=workflow.upgrade_mode,
        tips=workflow.tips,
        experimental=workflow.experimental,
        nsfw_level=workflow.nsfw_level,
        allow_mature_content=workflow.allow_mature_content,
        is_ephemeral=workflow.is_ephemeral,
    )
