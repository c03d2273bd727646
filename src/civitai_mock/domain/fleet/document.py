"""The document of a fleet: its providers, with what they cost and how long they take, and the policy between them."""

from collections.abc import Mapping, Sequence
from functools import partial
from math import isclose
from typing import Final

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import InvalidRequestError
from civitai_mock.domain.fleet.engines import MEMBER as ENGINES
from civitai_mock.domain.fleet.engines import ServerNames, note_shared_engine, read_engines
from civitai_mock.domain.fleet.providers import (
    DEFAULTS,
    MICRODOLLARS,
    SERVERLESS,
    SPOT,
    Capacity,
    FleetProvider,
    Preemption,
    ProviderKind,
)
from civitai_mock.domain.json_types import Json, JsonObject
from civitai_mock.domain.members import Members, read_members
from civitai_mock.domain.nearest import unknown_name

FLEET: Final = "fleet"  # the member of the documents of namespaces
SUBMISSION, PROPERTIES = "submission", "properties."
MOST_PROVIDERS, MOST_RULES = 20, 100
MOST_SECONDS: Final = 86_400.0
MOST_DOLLARS: Final = 1_000.0
MOST_PODS: Final = 100
MOST_AT_ONCE: Final = 1_000
LONGEST_NAME: Final = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRule:
    """Has a batch run by the provider `use` if all that it asks for holds; what is None is not asked for."""

    use: str
    urgent: bool | None = None
    pictures_over: int | None = None
    offline: bool | None = None

    @property
    def reason(self) -> str:
        """Return the rule in a word, as the context of events has it."""
        names = [
            ("not_" if wanted is False else "") + name
            for name, wanted in (("urgent", self.urgent), ("offline", self.offline))
            if wanted is not None
        ]
        if self.pictures_over is not None:
            names.append(f"pictures_over_{self.pictures_over}")
        return "_and_".join(names) or "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class FleetDocument:
    """Is a whole fleet: of the policy's rules the first that fits counts.

    A job is urgent if its priority is at least `urgent_from`. `batch_by` says which jobs are counted together: those of
    one submission, or those that have one value in a property, which is named `properties.comicId`.
    """

    providers: tuple[FleetProvider, ...]
    policy: tuple[PolicyRule, ...]
    urgent_from: int = 10
    batch_by: str = SUBMISSION

    def provider(self, name: str) -> FleetProvider:
        """Return a provider; raise KeyError for an unknown name."""
        for provider in self.providers:
            if provider.name == name:
                return provider
        raise KeyError(name)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple([provider.name for provider in self.providers])

    @property
    def engines(self) -> tuple[str, ...]:
        """Return the ids of the ComfyUI servers that run the jobs of pods."""
        return tuple([engine for provider in self.providers for engine in provider.engines])

    def first(self, kind: ProviderKind) -> FleetProvider | None:
        """Return the first provider of a kind."""
        return next((provider for provider in self.providers if provider.kind is kind), None)


PICTURES_OVER: Final = 20


def usual_policy(providers: Sequence[FleetProvider]) -> tuple[PolicyRule, ...]:
    """Return the wish list's policy for providers; where there is one kind alone, its first gets everything.

    An offline pod is booted where the wait pays off.
    """
    spot = next((each.name for each in providers if each.has_pods), None)
    serverless = next((each.name for each in providers if not each.has_pods), None)
    if spot is None or serverless is None:
        return (PolicyRule(use=spot or serverless or ""),)
    return (
        PolicyRule(urgent=True, use=serverless),
        PolicyRule(pictures_over=PICTURES_OVER, use=spot),
        PolicyRule(offline=True, use=serverless),
        PolicyRule(use=serverless),
    )


HYBRID: Final = FleetDocument(providers=(SPOT, SERVERLESS), policy=usual_policy((SPOT, SERVERLESS)))


def parse_fleet(value: Json, *, path: str = "", servers: ServerNames | None = None) -> FleetDocument:
    """Read a document; what it leaves out is as in `HYBRID`.

    It may name these ComfyUI servers, or any where it was checked before (None). Raise `InvalidRequestError` for all
    that is wrong, each fault with its path, under `path` if there is one.
    """
    try:
        return read_members(value, partial(_parse, servers=servers))
    except InvalidRequestError as error:
        raise error.under(path) if path else error from None


def stored_fleet(value: Json) -> FleetDocument | None:
    """Return what a fleet was stored as, which was checked then; None for none."""
    return parse_fleet(value) if isinstance(value, dict) else None


def _parse(members: Members, *, servers: ServerNames | None) -> FleetDocument:
    providers = _read_providers(members, servers)
    names = [provider.name for provider in providers]
    rules = members.each("policy", most=MOST_RULES)
    policy = usual_policy(providers) if rules is None else tuple([_read_rule(rule, names) for rule in rules])
    if rules is not None and not rules:
        members.note("policy", "Expected at least one rule.")
    urgent_from = members.whole("urgentFrom", least=-(2**31), most=2**31 - 1)
    batch_by = members.text("batchBy") or SUBMISSION
    is_property = batch_by.startswith(PROPERTIES) and batch_by != PROPERTIES
    if batch_by != SUBMISSION and not is_property:
        members.note_expected("batchBy", f"'{SUBMISSION}' or a property like '{PROPERTIES}comicId'")
    return FleetDocument(
        providers=providers,
        policy=policy,
        urgent_from=HYBRID.urgent_from if urgent_from is None else urgent_from,
        batch_by=batch_by,
    )


def _read_providers(members: Members, servers: ServerNames | None) -> tuple[FleetProvider, ...]:
    found = members.each("providers", most=MOST_PROVIDERS)
    if found is None:
        return HYBRID.providers
    if not found:
        members.note("providers", "Expected at least one provider.")
    providers = [_read_provider(each, servers) for each in found]
    seen: set[str] = set()
    engines: set[str] = set()
    for each, provider in zip(found, providers, strict=True):
        note_shared_engine(each, provider.engines, engines)
        if provider.name in seen:
            each.note("name", f"Another provider is called '{provider.name}' already.")
        seen.add(provider.name)
    return tuple(providers)


def _read_provider(members: Members, servers: ServerNames | None) -> FleetProvider:
    name = members.required("name", members.text("name", most=LONGEST_NAME)) or ""
    kind = members.required("kind", members.word("kind", ProviderKind)) or ProviderKind.SERVERLESS
    usual, seconds = DEFAULTS[kind], partial(_seconds, members)
    engines = read_engines(members, servers, most=MOST_PODS)
    provider = FleetProvider(
        name=name,
        kind=kind,
        price_per_picture=_price(members, "pricePerPicture", usual.price_per_picture),
        seconds_per_picture=seconds("secondsPerPicture", usual.seconds_per_picture),
        cold_start_seconds=seconds("coldStartSeconds", usual.cold_start_seconds),
        idle_shutdown_seconds=seconds("idleShutdownSeconds", usual.idle_shutdown_seconds),
        max_concurrent=members.whole("maxConcurrent", least=1, most=MOST_AT_ONCE) or usual.max_concurrent,
        capacity=members.word("capacity", Capacity) or usual.capacity,
        price_per_hour=_price(members, "pricePerHour", usual.price_per_hour),
        **_boot(members, usual),
        boot_timeout_seconds=seconds("bootTimeoutSeconds", usual.boot_timeout_seconds),
        warning_seconds=seconds("warningSeconds", usual.warning_seconds),
        max_pods=_read_max_pods(members, usual.max_pods, engines),
        preemption=_read_preemption(members),
        engines=engines,
    )
    if "kind" in members and not provider.has_pods:
        for member in POD_MEMBERS:
            if member in members:
                members.note(member, f"{member} is for kind {ProviderKind.SPOT} alone; found kind '{kind}'.")
    return provider


POD_MEMBERS = ("pricePerHour", "bootSeconds", "bootTimeoutSeconds", "warningSeconds", "maxPods", "preemption", ENGINES)


def _read_max_pods(members: Members, usual: int, engines: Sequence[str]) -> int:
    """Return how many pods there may be: as many as engines, if there are some, and at most that."""
    found = members.whole("maxPods", least=1, most=MOST_PODS)
    if found is not None and engines and found > len(engines):
        members.note("maxPods", f"maxPods must be at most the number of engines, {len(engines)}; found {found}.")
    return found or len(engines) or usual


def _boot(members: Members, usual: FleetProvider) -> Mapping[str, float]:
    inner = members.inner("bootSeconds")
    if inner is None:
        return {"boot_min_seconds": usual.boot_min_seconds, "boot_max_seconds": usual.boot_max_seconds}
    least = inner.required("min", inner.number("min", least=0, most=MOST_SECONDS))
    most = inner.required("max", inner.number("max", least=0, most=MOST_SECONDS))
    if least is not None and most is not None and least > most:
        inner.note("min", f"min must be at most max; found {least:g}, {most:g}.")
    return {"boot_min_seconds": least or 0.0, "boot_max_seconds": most or 0.0}


def _read_preemption(members: Members) -> Preemption:
    inner = members.inner("preemption")
    if inner is None:
        return Preemption()
    return Preemption(
        probability_per_minute=inner.number("probabilityPerMinute", least=0, most=1) or 0.0,
        at_seconds=inner.number("atSeconds", least=0, most=MOST_SECONDS),
    )


def _read_rule(members: Members, names: Sequence[str]) -> PolicyRule:
    use = members.required("use", members.text("use")) or ""
    if use and use not in names:
        members.note("use", unknown_name("provider", use, names) if names else "The fleet has no providers.")
    when = members.inner("when")
    if when is None:
        return PolicyRule(use=use)
    return PolicyRule(
        use=use,
        urgent=when.flag("urgent"),
        pictures_over=when.whole("picturesOver", least=0, most=2**31 - 1),
        offline=when.flag("offline"),
    )


def _seconds(members: Members, name: str, usual: float) -> float:
    found = members.number(name, least=0, most=MOST_SECONDS)
    return usual if found is None else found


def _price(members: Members, name: str, usual: int) -> int:
    """Return a price in whole microdollars; a document has dollars."""
    found = members.number(name, least=0, most=MOST_DOLLARS)
    if found is None:
        return usual
    price = round(found * MICRODOLLARS)
    if not isclose(found * MICRODOLLARS, price, abs_tol=1e-6):
        members.note_expected(name, "a price in dollars with at most six decimals")
    return price


def as_json(document: FleetDocument) -> JsonObject:
    """Return a document as `parse_fleet` reads it, with all that it does not leave out."""
    return {
        "providers": [_provider_json(provider) for provider in document.providers],
        "policy": [_rule_json(rule) for rule in document.policy],
        "urgentFrom": document.urgent_from,
        "batchBy": document.batch_by,
    }


def _provider_json(provider: FleetProvider) -> JsonObject:
    members: JsonObject = {
        "name": provider.name,
        "kind": provider.kind.value,
        "pricePerPicture": provider.price_per_picture / MICRODOLLARS,
        "secondsPerPicture": provider.seconds_per_picture,
        "coldStartSeconds": provider.cold_start_seconds,
        "idleShutdownSeconds": provider.idle_shutdown_seconds,
        "maxConcurrent": provider.max_concurrent,
        "capacity": provider.capacity.value,
    }
    if provider.has_pods:
        members |= {
            "pricePerHour": provider.price_per_hour / MICRODOLLARS,
            "bootSeconds": {"min": provider.boot_min_seconds, "max": provider.boot_max_seconds},
            "bootTimeoutSeconds": provider.boot_timeout_seconds,
            "warningSeconds": provider.warning_seconds,
            "maxPods": provider.max_pods,
            "preemption": _preemption_json(provider.preemption),
        }
    if provider.engines:
        members[ENGINES] = list(provider.engines)
    return members


def _preemption_json(preemption: Preemption) -> JsonObject:
    at: JsonObject = {} if preemption.at_seconds is None else {"atSeconds": preemption.at_seconds}
    return {"probabilityPerMinute": preemption.probability_per_minute, **at}


def _rule_json(rule: PolicyRule) -> JsonObject:
    asked: Mapping[str, Json] = {"urgent": rule.urgent, "picturesOver": rule.pictures_over, "offline": rule.offline}
    return {"when": {name: value for name, value in asked.items() if value is not None}, "use": rule.use}
