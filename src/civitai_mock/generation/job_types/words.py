"""Job types that answer texts."""

from dataclasses import dataclass
from typing import ClassVar

from civitai_mock.generation.job_types.draft import CompleteSpec
from civitai_mock.generation.work import ResultWork


@dataclass(frozen=True, slots=True, kw_only=True)
class EchoSpec(CompleteSpec):
    """Answers the message."""

    job_type: ClassVar[str] = "Echo"
    cost: ClassVar[float] = 0

    message: str

    def own_work(self) -> ResultWork:
        return ResultWork(result={"message": self.message}, seconds=0)
