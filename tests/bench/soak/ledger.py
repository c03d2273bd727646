"""What was ordered, and what came of it as far as the client knows: the soak is judged by it."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Any

PROPERTY = "soak"
MODEL = "urn:air:sd1:checkpoint:civitai:4384@128713"
SIDES = (64, 72, 128, 192)
SHARE_OF_BATCHES = 0.15
SHARE_OF_SERIES = 0.25
MOST_FAULTS = 50


class Answer(StrEnum):
    """What the client knows of a submission; LOST and REFUSED ones may have been carried out all the same."""

    OPEN = "open"
    ACCEPTED = "accepted"
    REFUSED = "refused with 503"
    LOST = "no answer"


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """One job, as it is submitted; `number` is in its properties."""

    number: int
    prompt: str
    seed: int
    width: int
    height: int
    quantity: int

    def template(self, callback_url: str | None) -> Mapping[str, Any]:
        params = {"prompt": self.prompt, "seed": self.seed, "width": self.width, "height": self.height}
        members = {
            "$type": "textToImage",
            "model": MODEL,
            "params": params,
            "quantity": self.quantity,
            "properties": {PROPERTY: str(self.number)},
        }
        return members if callback_url is None else {**members, "callbackUrl": callback_url}


@dataclass(slots=True, kw_only=True)
class Submission:
    """Some orders in one request."""

    orders: Sequence[Order]
    has_callback: bool
    answer: Answer = Answer.OPEN
    job_ids: Sequence[str] = ()
    cancel_asked: bool = False
    taint: str | None = None
    digests: dict[str, str] = field(default_factory=dict)  # of images that were downloaded, by their blob key


@dataclass(kw_only=True)
class Ledger:
    """Everything that happened; `rng` draws what is ordered."""

    rng: Random
    submissions: list[Submission] = field(default_factory=list)
    counts: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    _next_number: int = 0

    def order(self, *, has_callback: bool) -> Submission:
        count = self.rng.choice((2, 3)) if self.rng.random() < SHARE_OF_BATCHES else 1
        submission = Submission(orders=[self._draw() for _ in range(count)], has_callback=has_callback)
        self.submissions.append(submission)
        return submission

    def fault(self, text: str) -> None:
        """Keep the first of them; the number of all is in the counts."""
        self.counts["faults"] += 1
        if len(self.faults) < MOST_FAULTS:
            self.faults.append(text)

    def orders(self) -> Iterator[tuple[Submission, Order]]:
        for submission in self.submissions:
            for order in submission.orders:
                yield submission, order

    def _draw(self) -> Order:
        number, self._next_number = self._next_number, self._next_number + 1
        return Order(
            number=number,
            prompt=f"a fox in the snow, number {number}",
            seed=self.rng.randrange(2**32),
            width=self.rng.choice(SIDES),
            height=self.rng.choice(SIDES),
            quantity=2 if self.rng.random() < SHARE_OF_SERIES else 1,
        )
