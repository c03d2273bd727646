"""Statistics of prompts and requests, kept through restarts: for tests that ask whether anything ran twice."""

from collections import Counter
from dataclasses import field

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import Json, JsonObject

MAX_PROMPTS = 10_000


@dataclass(slots=True, kw_only=True)
class PromptFacts:
    """Counts what happened to one prompt.

    `nodes_run` counts nodes that were not cached; `outcomes` has one word for each run that came to an end.
    """

    accepted: int = 0
    started: int = 0
    nodes_run: int = 0
    outcomes: list[str] = field(default_factory=list)

    @property
    def wire(self) -> JsonObject:
        return {
            "accepted": self.accepted,
            "started": self.started,
            "nodes_run": self.nodes_run,
            "outcomes": [*self.outcomes],
        }


class PromptStats:
    """Holds the facts of the latest prompts, and how often each route was called."""

    def __init__(self) -> None:
        self.requests: Counter[str] = Counter()
        self.restarts = 0
        self._prompts: dict[str, PromptFacts] = {}

    def facts_of(self, prompt_id: str) -> PromptFacts:
        """Return the facts of a prompt, to be counted up; the oldest prompt makes room for a new one."""
        if prompt_id not in self._prompts:
            if len(self._prompts) >= MAX_PROMPTS:
                del self._prompts[next(iter(self._prompts))]
            self._prompts[prompt_id] = PromptFacts()
        return self._prompts[prompt_id]

    @property
    def prompts(self) -> dict[str, PromptFacts]:
        return dict(self._prompts)

    @property
    def wire(self) -> JsonObject:
        prompts: dict[str, Json] = {prompt_id: facts.wire for prompt_id, facts in self._prompts.items()}
        return {"restarts": self.restarts, "requests": dict(self.requests), "prompts": prompts}
