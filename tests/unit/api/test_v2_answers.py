"""The check of answers: it takes real answers, and finds what is wrong with others."""

import json
from typing import Any

import pytest

from tests.support.paths import DATA
from tests.support.table import table
from tests.support.v2_description import answer_faults, check_answer, check_output

CALLBACK: Any = json.loads((DATA / "captures" / "v2-callback-workflow-succeeded.json").read_text("utf-8"))
QUEUED: Any = json.loads((DATA / "captures" / "v2-workflow-queued-excerpt.json").read_text("utf-8"))
WHAT_IF: Any = json.loads((DATA / "captures" / "v2-whatif-excerpt.json").read_text("utf-8"))
RECIPES = {"tag": "wdTagging", "rating": "mediaRating", "hash": "mediaHash"}
BLOB: dict[str, Any] = {
    "width": 1024,
    "height": 1024,
    "previewUrl": "http://localhost:3000/v2/consumer/blobs/1-0.jpg?sig=a&exp=2027-11-25T10:15:09.9000000Z",
    "previewUrlExpiresAt": "2027-11-25T10:15:09.9Z",
    "type": "image",
    "id": "1-0.jpg",
    "available": True,
    "nsfwLevel": "pg",
}
STEP: dict[str, Any] = {
    "$type": "imageGen",
    "input": {"engine": "sdcpp", "ecosystem": "sdxl", "prompt": {"$ref": "first", "path": "output.enhancedPrompt"}},
    "output": {"images": [BLOB], "errors": []},
    "name": "$0",
    "priority": "low",
    "jobs": [{"id": "1", "status": "succeeded", "cost": 8}],
    "status": "succeeded",
    "metadata": {},
}
WORKFLOW: dict[str, Any] = {
    "id": "42-20261125101500123",
    "createdAt": "2026-11-25T10:15:00.123Z",
    "transactions": QUEUED["transactions"],
    "metadata": {},
    "status": "succeeded",
    "tags": [],
    "arguments": {},
    "steps": [STEP],
    "callbacks": [],
    "tips": {"civitai": 0, "creators": 0.25},
    "cost": QUEUED["cost"],
    "upgradeMode": "automatic",
    "currencies": [],
    "forceRefunded": False,
}


@pytest.mark.parametrize("step", CALLBACK["details"]["steps"], ids=lambda step: step["name"])
def test_real_outputs_are_as_the_description_has_them(step: Any) -> None:
    check_output(RECIPES[step["name"]], step["output"])


@pytest.mark.parametrize("transactions", [QUEUED["transactions"], WHAT_IF["transactions"]], ids=["debit", "what-if"])
def test_real_transactions_are_as_the_description_has_them(transactions: Any) -> None:
    check_answer("TransactionSummary", transactions)


def test_a_whole_workflow_is_as_the_description_has_it() -> None:
    model = {"model": "urn:air:sdxl:checkpoint:civitai:101055@128078"}
    check_answer("Workflow", WORKFLOW | {"steps": [STEP | {"input": STEP["input"] | model}]})
    check_answer("CursedArrayOfTelemetryCursorAndWorkflow", {"items": [WORKFLOW | {"steps": []}]})


@table(
    ("name", "answer"),
    [
        ("Workflow", {name: value for name, value in WORKFLOW.items() if name != "tips"} | {"steps": []}),
        ("Workflow", WORKFLOW | {"steps": [], "newest": 1}),
        ("Workflow", WORKFLOW | {"steps": [], "status": "done"}),
        ("Workflow", WORKFLOW | {"steps": [], "createdAt": "2026-11-25 10:15"}),
        ("Workflow", WORKFLOW | {"steps": [], "createdAt": "2026-11-25T10:15:00.1230000Z"}),
        ("WorkflowStep", STEP),  # a model is missing
        ("WorkflowStep", {name: value for name, value in STEP.items() if name != "$type"}),
        ("WorkflowStep", STEP | {"$type": "nope"}),
        ("ImageGenOutput", {"images": [BLOB | {"type": "video"}], "errors": []}),
        ("ImageGenOutput", {"images": [BLOB | {"width": "1024"}], "errors": []}),
        ("ImageGenOutput", {"images": [BLOB | {"previewUrl": "no url"}], "errors": []}),
        ("ImageBlob", BLOB | {"duration": 5}),
    ],
)
def test_a_wrong_answer_is_found(name: str, answer: Any) -> None:
    assert answer_faults(name, answer)
