"""A client of v2's workflows, whose every answer is held against the official description."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from tests.support.served_app import PATIENCE_SECONDS
from tests.support.v2_description import QUERY_RESULT, check_answer

WORKFLOWS = "/v2/consumer/workflows"
RECIPES = "/v2/consumer/recipes"
CHECKPOINT = "urn:air:sdxl:checkpoint:civitai:101055@128078"
COMMON_MEMBERS = {"name", "priority", "timeout", "retries", "metadata"}
OVER = {"succeeded", "failed", "expired", "canceled"}


def step(step_type: str, step_input: Any, **members: Any) -> dict[str, Any]:
    return {"$type": step_type, "input": step_input, **members}


def echo(message: Any = "hi", **members: Any) -> dict[str, Any]:
    return {"$type": "echo", "input": {"message": message}, **members}


def image(**members: Any) -> dict[str, Any]:
    """Return a step that makes images, which cost something; members that all steps have are not those of its input."""
    common = {name: members.pop(name) for name in COMMON_MEMBERS & members.keys()}
    return {"$type": "textToImage", "input": {"prompt": "a fox", "model": CHECKPOINT, **members}} | common


def reference(source: str, path: str) -> dict[str, str]:
    return {"$ref": source, "path": path}


def template(*steps: Mapping[str, Any], **members: Any) -> dict[str, Any]:
    return {"steps": list(steps) or [echo()], **members}


@dataclass(frozen=True, slots=True)
class WorkflowClient:
    """Asks one server; each method returns the decoded answer, whose status has to be as expected."""

    http: httpx.AsyncClient

    async def submit(
        self, *steps: Mapping[str, Any], query: str = "", expected: Sequence[int] = (200, 202), **members: Any
    ) -> Any:
        answer = await self.http.post(f"{WORKFLOWS}?{query}", json=template(*steps, **members))
        return self._checked(answer, expected)

    async def get(self, workflow_id: str, query: str = "") -> Any:
        return self._checked(await self.http.get(f"{WORKFLOWS}/{workflow_id}?{query}"), (200, 202))

    async def step(self, workflow_id: str, name: str) -> Any:
        answer = await self.http.get(f"{WORKFLOWS}/{workflow_id}/steps/{name}")
        assert answer.status_code == 200, answer.text
        check_answer("WorkflowStep", answer.json())
        return answer.json()

    async def list(self, query: str = "") -> Any:
        answer = await self.http.get(f"{WORKFLOWS}?{query}")
        assert answer.status_code == 200, answer.text
        check_answer(QUERY_RESULT, answer.json())
        return answer.json()

    async def ids(self, query: str = "") -> Sequence[str]:
        return [workflow["id"] for workflow in (await self.list(query))["items"]]

    async def change(self, method: str, path: str, **request: Any) -> None:
        answer = await self.http.request(method, f"{WORKFLOWS}/{path}", **request)
        assert answer.status_code == 204, answer.text
        assert answer.content == b""
        assert "content-type" not in answer.headers

    async def until_over(self, workflow_id: str) -> Any:
        """Return a workflow once it is over, while the scheduler works."""
        workflow = await self.get(workflow_id, f"wait={PATIENCE_SECONDS}")
        assert workflow["status"] in OVER, workflow
        return workflow

    @staticmethod
    def _checked(answer: httpx.Response, expected: Sequence[int]) -> Any:
        assert answer.status_code in expected, answer.text
        workflow = answer.json()
        check_answer("Workflow", workflow)
        if answer.status_code == 202:
            assert workflow["status"] not in OVER
        return workflow
