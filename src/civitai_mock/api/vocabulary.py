"""Vocabularies: how answers are worded, so that each kind of client can read them."""

from collections.abc import Mapping
from dataclasses import field, replace
from enum import StrEnum
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.nearest import did_you_mean

if TYPE_CHECKING:  # what only those need who have a fleet is not loaded at the start
    from civitai_mock.domain.fleet.document import FleetDocument


class ResultFormat(StrEnum):
    """`result` of an image job: an array with one entry for each image (since mid-2025), or the first one alone."""

    ARRAY = "array"
    OBJECT = "object"


class ClientCompat(StrEnum):
    """Which kind of client an answer is for.

    `official` clients have models that were generated from the official description of v1, and reject any value that is
    not in its lists; those of 2024 (PyPI's civitai-py, npm's civitai) read one result besides, and not a list.
    """

    DEFAULT = "default"
    OFFICIAL = "official"
    SDK_2024 = "sdk-2024"

    @classmethod
    def parse(cls, text: str, *, field: str) -> "ClientCompat":
        """Read a name in any case; raise `InvalidRequestError` that names the nearest one for anything else."""
        name = text.strip().lower()
        if name in list(cls):
            return cls(name)
        message = f"{field} must be one of {', '.join(cls)}; found '{text[:100]}'.{did_you_mean(name, cls)}"
        raise InvalidRequestError(message, errors={field: [message]})

    @classmethod
    def stored(cls, name: str | None) -> "ClientCompat | None":
        """Return what a job was stored with; None for a name that this program does not know."""
        return cls(name) if name in list(cls) else None


# v1 description: `Provider`.
OFFICIAL_PROVIDERS = frozenset(
    {
        "Civitai",
        "OctoML",
        "SaladML",
        "PicFinder",
        "RunPods",
        "ValdiAI",
        "OctoMLNext",
        "RunDiffusion",
        "SaladShared",
    }
)
OFFICIAL_PROVIDER = "Civitai"
# What providers of a fleet are called where their own names are in no official list.
OFFICIAL_OF_PODS = ("RunPods", "ValdiAI", "RunDiffusion")
OFFICIAL_OF_WORKERS = ("SaladML", "OctoML", "SaladShared", "OctoMLNext", "PicFinder")
OWN_NAMES: Mapping[str, str] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """Says how an answer is worded; without a `provider`, by the name that a job was run under.

    All workers are called `worker_id`, if it is there: which of them had a job is another one on each run. If
    `is_official`, values that are in no list of the official description are left out. `providers` says what those of a
    fleet are called, which count before `provider`.
    """

    provider: str | None
    result_format: ResultFormat
    is_official: bool
    worker_id: str | None = None
    providers: Mapping[str, str] = field(default_factory=lambda: OWN_NAMES)


@dataclass(frozen=True, kw_only=True)
class Vocabularies:
    """Holds what the settings say: `compat` is for requests that ask for none; the other two, if set, are for all."""

    compat: ClientCompat = ClientCompat.DEFAULT
    provider_name: str | None = None
    result_format: ResultFormat | None = None

    def of(
        self,
        asked: ClientCompat | None = None,
        *,
        worker_id: str | None = None,
        fleet: "FleetDocument | None" = None,
    ) -> Vocabulary:
        usual = self._by_compat[asked or self.compat]
        if fleet is not None:
            usual = replace(usual, providers=names_in_fleet(fleet, is_official=usual.is_official))
        return usual if worker_id is None else replace(usual, worker_id=worker_id)

    @cached_property
    def _by_compat(self) -> Mapping[ClientCompat, Vocabulary]:
        return {compat: self._make(compat) for compat in ClientCompat}

    def _make(self, compat: ClientCompat) -> Vocabulary:
        is_official = compat is not ClientCompat.DEFAULT
        usual_format = ResultFormat.OBJECT if compat is ClientCompat.SDK_2024 else ResultFormat.ARRAY
        return Vocabulary(
            provider=self.provider_name or (OFFICIAL_PROVIDER if is_official else None),
            result_format=self.result_format or usual_format,
            is_official=is_official,
        )


@lru_cache
def names_in_fleet(fleet: "FleetDocument", *, is_official: bool) -> Mapping[str, str]:
    """Return what the providers of a fleet are called, by their names: each has one of its own in the official list."""
    names = dict.fromkeys(fleet.names)
    shown = {name: name for name in names if not is_official or name in OFFICIAL_PROVIDERS}
    for provider in fleet.providers:
        if provider.name not in shown:
            usual = OFFICIAL_OF_PODS if provider.has_pods else OFFICIAL_OF_WORKERS
            free = [name for name in (*usual, *sorted(OFFICIAL_PROVIDERS)) if name not in shown.values()]
            shown[provider.name] = free[0] if free else OFFICIAL_PROVIDER
    return {name: shown[name] for name in names}
