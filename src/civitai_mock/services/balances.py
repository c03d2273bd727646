"""How much Buzz each consumer of a namespace has."""

from collections.abc import Callable
from functools import cached_property
from typing import TYPE_CHECKING

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.services.controls import Controls

if TYPE_CHECKING:
    from civitai_mock.domain.money import Balances

BALANCE = "balance"  # the member of what the control plane was told


@dataclass(frozen=True, kw_only=True)
class GetBalances:
    """Returns the balances that were set for a namespace, or else the `usual` ones, which BUZZ_BALANCE says.

    `usual_for_jobs` is what these are for jobs of v1; None for no limit. Money is only loaded where there is a limit.
    """

    controls: Controls
    usual: Callable[[], "Balances"]
    usual_for_jobs: float | None

    def __call__(self) -> "Balances":
        found = self.controls.get(BALANCE)
        if found is None:
            return self._usual
        from civitai_mock.domain.money import read_balances  # noqa: PLC0415 - see above

        return read_balances(found)

    def for_jobs(self) -> float | None:
        """Return what a consumer has for jobs of v1; None for as much as it wants."""
        return self.usual_for_jobs if self.controls.get(BALANCE) is None else self().total

    @cached_property
    def _usual(self) -> "Balances":
        return self.usual()
