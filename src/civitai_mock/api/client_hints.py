"""Log once for each known client that it cannot read an answer, with the setting that helps."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import lru_cache

import structlog

from civitai_mock.api.vocabulary import (
    OFFICIAL_PROVIDER,
    OFFICIAL_PROVIDERS,
    ClientCompat,
    ResultFormat,
    Vocabularies,
    Vocabulary,
)
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.job import JobSummary
from civitai_mock.domain.stages import Outcome

JSON = b"application/json"
CACHED_USER_AGENTS = 64

logger = structlog.stdlib.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownClient:
    """Says how to recognise a client, and which answers it can read.

    `headers` are those that must be JSON, to distinguish it from others with the same User-Agent.
    """

    name: str
    user_agent: re.Pattern[str]
    compat: ClientCompat
    headers: Sequence[bytes] = ()

    def has_sent(self, headers: Mapping[bytes, bytes]) -> bool:
        """Return whether this client sent the headers, whose User-Agent is one of its own."""
        return all(headers.get(name) == JSON for name in self.headers)


KNOWN_CLIENTS = (
    KnownClient(
        name="civitai-py of PyPI",
        user_agent=re.compile(r"^python-httpx/"),
        compat=ClientCompat.SDK_2024,
        headers=(b"accept", b"content-type"),
    ),
    KnownClient(
        name="civitai of npm",
        user_agent=re.compile(r"^(?:node|undici|Deno/.*|Bun/.*)$"),
        compat=ClientCompat.SDK_2024,
        headers=(b"accept",),
    ),
    KnownClient(
        name="an SDK of Civitai's",
        user_agent=re.compile(r"^civitai(?:[-_](?:py|python|js|javascript|node))?/", re.IGNORECASE),
        compat=ClientCompat.SDK_2024,
    ),
    KnownClient(
        name="a client that was generated from the official description",
        user_agent=re.compile(
            r"openapi-generator|swagger-codegen|openapi-python-client|oapi-codegen|kiota|speakeasy|nswag|fern|autorest",
            re.IGNORECASE,
        ),
        compat=ClientCompat.OFFICIAL,
    ),
)


class ClientHints:
    """Logs each hint once in a process; `vocabularies` are what its settings allow."""

    def __init__(self, vocabularies: Vocabularies) -> None:
        self._vocabularies = vocabularies
        self._logged: set[str] = set()

    def check(self, headers: Mapping[bytes, bytes], jobs: Sequence[JobSummary], vocabulary: Vocabulary) -> None:
        """Log a hint if the client of these headers cannot read an answer about `jobs`."""
        client = known_client(headers)
        if client is None or client.name in self._logged or not _is_unreadable(jobs, vocabulary, client.compat):
            return
        self._logged.add(client.name)
        logger.warning(
            "a client may be unable to read this answer",
            client=client.name,
            user_agent=_user_agent(headers),
            setting=" ".join(self._settings_for(client.compat)),
            base_path=f"/compat/{client.compat}",
        )

    def _settings_for(self, compat: ClientCompat) -> Iterator[str]:
        """Return the settings that help; those that win over CLIENT_COMPAT have to change, too."""
        words = self._vocabularies.of(compat)
        yield f"CLIENT_COMPAT={compat}"
        if words.provider not in OFFICIAL_PROVIDERS:
            yield f"PROVIDER_NAME={OFFICIAL_PROVIDER}"
        if compat is ClientCompat.SDK_2024 and words.result_format is ResultFormat.ARRAY:
            yield f"RESULT_FORMAT={ResultFormat.OBJECT}"


def known_client(headers: Mapping[bytes, bytes]) -> KnownClient | None:
    """Return the client that sent the headers, the first of each name, if it is known."""
    candidates = _clients_called(_user_agent(headers))
    return next((known for known in candidates if known.has_sent(headers)), None) if candidates else None


def _user_agent(headers: Mapping[bytes, bytes]) -> str:
    return headers.get(b"user-agent", b"").decode("latin-1")


@lru_cache(CACHED_USER_AGENTS)
def _clients_called(user_agent: str) -> Sequence[KnownClient]:
    return [known for known in KNOWN_CLIENTS if known.user_agent.search(user_agent)]


def _is_unreadable(jobs: Sequence[JobSummary], vocabulary: Vocabulary, compat: ClientCompat) -> bool:
    """Return whether the answer has a provider that is not official, or a list for a client that reads one result."""
    providers = {vocabulary.provider or job.last_event.provider for job in jobs if job.last_event.provider is not None}
    if providers - OFFICIAL_PROVIDERS:
        return True
    is_list = compat is ClientCompat.SDK_2024 and vocabulary.result_format is ResultFormat.ARRAY
    return is_list and any(job.outcome is Outcome.SUCCEEDED and job.slots for job in jobs)
