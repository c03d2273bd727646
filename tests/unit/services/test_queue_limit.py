"""The limit of the queue: counted here, and again from the store now and then."""

from dataclasses import dataclass

from civitai_mock.domain.errors import QueueFullError
from civitai_mock.domain.search import Backlog
from civitai_mock.services.queue_limit import QueueLimit


@dataclass
class PlayedQueue:
    """Says how many jobs wait, or nothing while its store is away."""

    jobs: int | None = 0
    asked: int = 0

    async def __call__(self) -> Backlog | None:
        self.asked += 1
        return None if self.jobs is None else Backlog(jobs=self.jobs, oldest=None)


@dataclass
class Played:
    """A limit on a played queue, with a clock that a test moves."""

    queue: PlayedQueue
    seconds: float = 1000.0

    def __post_init__(self) -> None:
        self.limit = QueueLimit(read_backlog=self.queue, most=3, now=lambda: self.seconds)

    async def is_taken(self, count: int) -> bool:
        try:
            await self.limit.take(count)
        except QueueFullError:
            return False
        return True


async def test_the_store_is_asked_once_while_there_is_room() -> None:
    hands = Played(PlayedQueue())
    assert [await hands.is_taken(1) for _ in range(4)] == [True, True, True, False]
    assert hands.queue.asked == 1


async def test_what_does_not_fit_is_refused_and_takes_no_room() -> None:
    hands = Played(PlayedQueue(1))
    assert [await hands.is_taken(count) for count in (3, 2, 1)] == [False, True, False]


async def test_a_full_queue_is_counted_again_but_not_at_every_refusal() -> None:
    hands = Played(PlayedQueue(3))
    assert not any([await hands.is_taken(1) for _ in range(10)])
    assert hands.queue.asked == 1
    hands.queue.jobs = 0
    hands.seconds += 0.3
    assert await hands.is_taken(1)
    assert hands.queue.asked == 2


async def test_jobs_that_others_have_added_are_seen_after_some_seconds() -> None:
    hands = Played(PlayedQueue())
    assert await hands.is_taken(1)
    hands.queue.jobs = 3
    hands.seconds += 5.1
    assert not await hands.is_taken(1)


async def test_a_store_that_does_not_answer_refuses_nothing_here() -> None:
    assert await Played(PlayedQueue(None)).is_taken(3)
