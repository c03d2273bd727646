"""The routes of v2 that are described by the official description.

Their endpoints, and that description, are only loaded for a request: who has no workflow needs none of it at the start.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import TypeAlias

from civitai_mock.api import late_imports
from civitai_mock.api.openapi import DescribedRoute, Endpoint, Schema
from civitai_mock.domain.json_types import JsonObject

Describe: TypeAlias = Callable[[str], Mapping[str, JsonObject]]

PACKAGE = "civitai_mock.api.v2"
WORKFLOWS_PATH = "/v2/consumer/workflows"
WORKFLOW_PATH = WORKFLOWS_PATH + "/{workflowId}"
TAGS_PATH = WORKFLOW_PATH + "/tags"
STEP_PATH = WORKFLOW_PATH + "/steps/{stepName:path}"  # names of steps, as tags, may have slashes
RECIPE_PATH = "/v2/consumer/recipes/{name}"
SERVICES_PATH = "/v2/services"
USER_PATH = "/v2/consumer/civitai/{userId}"
LIST_PROBLEMS = (400, 401, 429, 503)
READ_PROBLEMS = (*LIST_PROBLEMS, 404)
OF_BODY = (408, 413, 415)


class LateDescription:
    """Says what the OpenAPI document has about a route when the document is asked for."""

    is_official = True
    schemas: Sequence[Schema] = ()

    def __init__(self, describe: Describe) -> None:
        self.described = describe


def late_endpoint(module: str, name: str) -> Endpoint:
    """Return an endpoint of a module of this package, which is imported, in a thread, for the first request."""
    return late_imports.late_endpoint(f"{PACKAGE}.{module}", name)


def _operation(operation_id: str, summary: str, problems: Sequence[int]) -> LateDescription:
    def describe(_: str) -> Mapping[str, JsonObject]:
        from civitai_mock.api.v2.official_operations import official_operation  # noqa: PLC0415 - see above

        return official_operation(operation_id, summary=summary, problems=problems)

    return LateDescription(describe)


def _recipes(summary: str, problems: Sequence[int]) -> LateDescription:
    def describe(_: str) -> Mapping[str, JsonObject]:
        from civitai_mock.api.v2.official_operations import recipe_operations  # noqa: PLC0415 - see above

        return recipe_operations(summary=summary, problems=problems)

    return LateDescription(describe)


def _recipe_document(media_type: str) -> LateDescription:
    def describe(path: str) -> Mapping[str, JsonObject]:
        from civitai_mock.api.v2.official_operations import recipe_document_operation  # noqa: PLC0415 - see above

        return recipe_document_operation(path, media_type=media_type, problems=[404, 429])

    return LateDescription(describe)


def _route(
    method: str, path: str, endpoint: tuple[str, str], description: LateDescription, *, is_hot: bool = False
) -> DescribedRoute:
    return DescribedRoute(path, late_endpoint(*endpoint), method=method, operation=description, is_hot=is_hot)


WORKFLOWS, STEPS, RECIPES, SERVICES, CACHES = "workflows", "workflow_steps", "recipes", "services", "caches"
ROUTES = [
    _route(
        "POST",
        WORKFLOWS_PATH,
        (WORKFLOWS, "submit_workflow"),
        _operation("SubmitWorkflow", "Submit a workflow", [*LIST_PROBLEMS, *OF_BODY]),
        is_hot=True,
    ),
    _route(
        "GET",
        WORKFLOWS_PATH,
        (WORKFLOWS, "query_workflows"),
        _operation("QueryWorkflows", "Find workflows, or download what they made", LIST_PROBLEMS),
    ),
    _route(
        "GET",
        WORKFLOW_PATH,
        (WORKFLOWS, "get_workflow"),
        _operation("GetWorkflow", "Get a workflow", READ_PROBLEMS),
        is_hot=True,
    ),
    _route(
        "PUT",
        WORKFLOW_PATH,
        (WORKFLOWS, "update_workflow"),
        _operation("UpdateWorkflow", "Cancel a workflow, or change what describes it", [*READ_PROBLEMS, *OF_BODY]),
    ),
    _route(
        "PATCH",
        WORKFLOW_PATH,
        (WORKFLOWS, "patch_workflow"),
        _operation("PatchWorkflow", "Change parts of a workflow by a JSON Patch", [*READ_PROBLEMS, *OF_BODY]),
    ),
    _route(
        "DELETE",
        WORKFLOW_PATH,
        (WORKFLOWS, "delete_workflow"),
        _operation("DeleteWorkflow", "Delete a workflow, which ends first", [401, 404, 429, 503]),
    ),
    _route(
        "POST",
        TAGS_PATH,
        (WORKFLOWS, "add_tag"),
        _operation("AddWorkflowTag", "Add a tag", [*READ_PROBLEMS, *OF_BODY]),
    ),
    _route(
        "DELETE",
        TAGS_PATH,
        (WORKFLOWS, "remove_all_tags"),
        _operation("RemoveAllWorkflowTags", "Remove all tags", READ_PROBLEMS),
    ),
    _route(
        "DELETE",
        TAGS_PATH + "/{tag:path}",
        (WORKFLOWS, "remove_tag"),
        _operation("RemoveWorkflowTag", "Remove a tag", READ_PROBLEMS),
    ),
    _route(
        "GET",
        STEP_PATH,
        (STEPS, "get_step"),
        _operation("GetWorkflowStep", "Get a step", [401, 404, 429, 503]),
    ),
    _route(
        "PUT",
        STEP_PATH,
        (STEPS, "update_step"),
        _operation("UpdateWorkflowStep", "Replace the metadata of a step", [*READ_PROBLEMS, *OF_BODY]),
    ),
    _route(
        "PATCH",
        STEP_PATH,
        (STEPS, "patch_step"),
        _operation("PatchWorkflowStep", "Change parts of a step by a JSON Patch", [*READ_PROBLEMS, 409, *OF_BODY]),
    ),
    _route(
        "POST",
        RECIPE_PATH,
        (RECIPES, "invoke_recipe"),
        _recipes("Do one step, and be answered when it is done:", [*READ_PROBLEMS, *OF_BODY, 504]),
    ),
    _route(
        "GET",
        RECIPE_PATH + "/openapi.yaml",
        (RECIPES, "get_yaml_document"),
        _recipe_document("application/yaml"),
    ),
    _route(
        "GET",
        RECIPE_PATH + "/openapi.json",
        (RECIPES, "get_json_document"),
        _recipe_document("application/json"),
    ),
    _route(
        "GET",
        SERVICES_PATH,
        (SERVICES, "list_services"),
        _operation("ListServices", "Find services", [400, 429, 503]),
    ),
    _route(
        "GET",
        SERVICES_PATH + "/{serviceId:path}",
        (SERVICES, "get_service"),
        _operation("GetService", "Get a service by its id", [400, 404, 429, 503]),
    ),
    _route(
        "DELETE",
        USER_PATH,
        (CACHES, "invalidate"),
        _operation("InvalidateUserCache", "Forget what is known of a user", [400, 401, 429]),
    ),
    _route(
        "DELETE",
        USER_PATH + "/tokens",
        (CACHES, "invalidate"),
        _operation("InvalidateUserTokens", "Forget the tokens of a user", [400, 401, 429]),
    ),
]
