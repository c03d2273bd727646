"""What was asked for: a workflow before it has an id, jobs and a price."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from civitai_mock.domain.cost import Tips
from civitai_mock.domain.json_types import Json, ReadOnlyJson
from civitai_mock.domain.money import Account
from civitai_mock.domain.quick_init import quick_init
from civitai_mock.domain.workflow import Callback, UpgradeMode


@quick_init
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


@quick_init
@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowTemplate:
    """Is a workflow that was asked for: each member is right by itself, and has its default if it was not sent.

    Whether names differ and references lead somewhere is not checked yet (see `link_steps`).
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
