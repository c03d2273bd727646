"""One step a stage: what is done before a job may enter it."""

from collections.abc import Awaitable, Callable, Mapping

from civitai_mock.domain.stages import Stage
from civitai_mock.scheduler.steps.accept import accept
from civitai_mock.scheduler.steps.collect import collect
from civitai_mock.scheduler.steps.prepare import prepare
from civitai_mock.scheduler.steps.send import send
from civitai_mock.scheduler.work import Work

Step = Callable[[Work], Awaitable[None]]

STEPS: Mapping[Stage, Step] = {
    Stage.CLAIMED: accept,
    Stage.PROMPT_PREPARED: prepare,
    Stage.SENT_TO_COMFY: send,
    Stage.COMFY_RESULT: collect,
}
