"""All use cases of workflows together."""

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.ports.steps import StepTypes
from civitai_mock.services.workflows.advance import AdvanceWorkflows
from civitai_mock.services.workflows.change import ChangeWorkflows
from civitai_mock.services.workflows.query import ListWorkflows, QueryWorkflows
from civitai_mock.services.workflows.submit import SubmitWorkflow
from civitai_mock.services.workflows.wait import WaitForWorkflows


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkflowUseCases:
    """Holds the use cases of workflows in one namespace; answers are rendered with `step_types`."""

    submit: SubmitWorkflow
    query: QueryWorkflows
    list: ListWorkflows
    wait: WaitForWorkflows
    change: ChangeWorkflows
    advance: AdvanceWorkflows
    step_types: StepTypes
