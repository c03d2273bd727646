"""Which of some resources an AIR names, however it is spelt."""

from collections.abc import Iterable

from civitai_mock.domain.air import Air, CompressedAir, Reference
from civitai_mock.domain.resource import Resource


def named(reference: Reference, candidates: Iterable[Resource]) -> Resource | None:
    """The resource that a request means; without a version, the newest one of a model of Civitai's.

    Of several the first in order of AIR: stores of earlier versions of this program may hold a version twice.
    """
    if isinstance(reference, Air) and reference.is_of_model:
        versions = [resource for resource in candidates if _is_of_same_model(reference, resource.air)]
        return max(versions, key=_age, default=None)
    return _first_choice(reference, candidates)


def itself(air: Air, candidates: Iterable[Resource]) -> Resource | None:
    """The resource that has this AIR, or another AIR of the same version: what may be replaced or deleted."""
    return _first_choice(air, candidates)


def _first_choice(reference: Reference, candidates: Iterable[Resource]) -> Resource | None:
    """The one that is spelt in this way, or else the first."""
    fitting = sorted(
        (resource for resource in candidates if is_named(reference, resource.air)), key=lambda found: found.air.key
    )
    spelt_so = (resource for resource in fitting if isinstance(reference, Air) and resource.air.key == reference.key)
    return next(spelt_so, fitting[0] if fitting else None)


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
    return _same(air.source, reference.source) and _same(air.id, reference.id)


def _same(one: str | None, other: str | None) -> bool:
    return (one or "").lower() == (other or "").lower()


def _age(resource: Resource) -> int:
    """Civitai numbers its versions in order; what has no number is older than all of them."""
    return int(resource.air.version_id or -1)
