"""Which of some resources an AIR names, however it is spelt."""

from collections.abc import Iterable

from civitai_mock.domain.air import Air, CompressedAir, Reference
from civitai_mock.domain.resource import Resource


def named(reference: Reference, candidates: Iterable[Resource]) -> Resource | None:
    """The resource that a request means; without a version, the newest one of a model of Civitai's.

    Of several the first in order of AIR: stores of earlier versions of this program may hold a version twice.
    """
    if not isinstance(reference, Air) or not reference.is_of_model:
        return _best_spelt(reference, [found for found in candidates if is_named(reference, found.air)])
    versions = [found for found in candidates if _is_of_same_model(reference, found.air)]
    newest = max(map(_age, versions), default=None)
    return _best_spelt(reference, [found for found in versions if _age(found) == newest])


def itself(air: Air, candidates: Iterable[Resource]) -> Resource | None:
    """The resource that has this AIR, or another AIR of the same version: what may be replaced or deleted."""
    return _best_spelt(air, [found for found in candidates if is_named(air, found.air)])


def _best_spelt(reference: Reference, fitting: Iterable[Resource]) -> Resource | None:
    """The one that is spelt in the same way, or else the first in order of AIR."""
    keys = {found.air.key: found for found in sorted(fitting, key=lambda found: found.air.key)}
    spelt_so = keys.get(reference.key) if isinstance(reference, Air) else None
    return spelt_so or next(iter(keys.values()), None)


def is_named(reference: Reference, air: Air) -> bool:
    """Ecosystem and type may be left out; elsewhere than on Civitai an AIR that has them is the whole name."""
    if reference.version_id is not None:
        return air.version_id == reference.version_id
    if isinstance(reference, CompressedAir):
        return _same(air.source, reference.source) and _same(air.version, reference.version)
    if reference.ecosystem and reference.type:
        return air.key == reference.key
    return _is_of_same_model(reference, air) and _same(air.version, reference.version)


def _is_of_same_model(reference: Air, air: Air) -> bool:
    return _same(air.source, reference.source) and _same(air.model_id, reference.model_id)


def _same(one: str | None, other: str | None) -> bool:
    return (one or "").lower() == (other or "").lower()


def _age(resource: Resource) -> int:
    """Civitai numbers its versions in order; what has no number is older than all of them."""
    return int(resource.air.version_id or -1)
