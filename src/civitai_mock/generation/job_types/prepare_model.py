"""`prepareModel`: have a model at hand before it is asked for."""

from collections.abc import Mapping
from typing import Annotated, ClassVar, Literal, TypeAlias, get_args

from civitai_mock.generation.as_sent import AsSentRequest
from civitai_mock.generation.wire import Reference, Text, in_any_case
from civitai_mock.generation.work import ResultWork

Action: TypeAlias = Literal["Upload", "Pin"]


class PrepareModelJobRequest(AsSentRequest):
    """Nothing is loaded: any model that the resources have can be used at once."""

    wire_name: ClassVar[str] = "prepareModel"
    template_name: ClassVar[str] = "PrepareModelJobTemplate"
    job_type: ClassVar[str] = "PrepareModel"
    cost: ClassVar[float] = 0

    base_model: Text | None = None
    model: Reference
    action: Annotated[Action, in_any_case(get_args(Action))] | None = None

    def references(self) -> Mapping[str, str]:
        return {"model": self.model}

    def order(self) -> ResultWork:
        return ResultWork(result={"model": self.model, "action": self.action or "Upload"}, seconds=2.0)
