"""What a handler can ask for: what all requests share, and what each brings along beside its parameters and body."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta

from starlette.requests import Request

from civitai_mock.api.client_hints import ClientHints
from civitai_mock.api.formats import ClientCompat, Vocabularies, Vocabulary
from civitai_mock.api.use_cases import UseCases
from civitai_mock.services.consumers import Caller


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiOptions:
    """`public_url` is the base of blob URLs; without one it is what the request was sent to.

    `max_jobs` is for one request.
    """

    public_url: str | None
    max_body_bytes: int
    body_timeout: timedelta
    max_jobs: int
    vocabularies: Vocabularies
    version: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiContext:
    """What all requests of one app share, as `app.state.context`.

    `use_cases_of` returns those of the namespace that a request is for; it works only while the app is open.
    """

    options: ApiOptions
    client_hints: ClientHints
    use_cases_of: Callable[[Request], UseCases]


def context(request: Request) -> ApiContext:
    found: ApiContext = request.app.state.context
    return found


def use_cases(request: Request) -> UseCases:
    return context(request).use_cases_of(request)


def options(request: Request) -> ApiOptions:
    return context(request).options


def trace_id(request: Request) -> str:
    """The id that `TraceMiddleware` gave the request."""
    found: str = request.state.trace_id
    return found


def caller(request: Request) -> Caller:
    """On the routes that `Guard` guards."""
    compat: ClientCompat | None = request.state.compat
    return Caller(
        trace_id=trace_id(request), consumer=request.state.consumer, client_compat=compat.value if compat else None
    )


def owner(request: Request) -> str | None:
    """Whose jobs the caller sees; None for everybody's."""
    return caller(request).owner


def vocabulary(request: Request) -> Vocabulary:
    """How the answer is worded, as the request asked for or else as the server is set."""
    return options(request).vocabularies.of(request.state.compat)


def base_url(request: Request) -> str:
    """Without a slash at the end; the Host header counts, so that links work from where the caller is."""
    host = request.headers.get("host") or request.url.netloc
    return options(request).public_url or f"{request.scope['scheme']}://{host}{request.scope.get('root_path', '')}"
