"""How long to wait before another attempt."""

from civitai_mock.scheduler.deliveries import backoff
from tests.support.table import table


@table(
    ("failures", "jitter", "seconds"),
    [(1, 0, 0.5), (1, 1, 1), (2, 1, 2), (5, 0.5, 12), (9, 1, 256), (10, 1, 300), (10_000, 1, 300), (10_000, 0, 150)],
)
def test_a_pause_doubles_up_to_five_minutes_and_is_spread(failures: int, jitter: float, seconds: float) -> None:
    assert backoff(failures, jitter=jitter).total_seconds() == seconds
