"""Ports of providers, which run graphs, and of the artist, with the values that go there and back."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Protocol, TypeAlias

from civitai_mock.domain.clock_state import EARLIEST_DATE
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.job import NORMAL, JobResource
from civitai_mock.domain.json_types import ReadOnlyJson
from civitai_mock.generation.media import Derived, ImageContent, ImageFile, MediaInput
from civitai_mock.generation.recipe import GraphRecipe, Recipe
from civitai_mock.generation.work import FileRole

if TYPE_CHECKING:  # what only jobs of v2 need is not loaded at the start
    from civitai_mock.generation.operations import Operation


@dataclass(frozen=True, slots=True, kw_only=True)
class InputFile:
    """An image that a graph reads under `name`; `digest` is one of its bytes, `read` yields them from the start."""

    name: str
    content_type: str
    digest: str
    read: Callable[[], AsyncIterator[bytes]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """A graph on its way to a provider, under a prompt id that was stored before; it names the files of `resources`.

    See `GraphWork` for `alternatives`, `roles`, `words_name_embeddings` and `has_common_shape`. A provider that cannot
    run one of the `optional_nodes` leaves it out, so that the links into it take the place of its outputs, in their
    order. If prompts wait, the higher `priority` goes first. A provider that simulates takes as long as `lasts` says.
    Of several workers only the one with the id `only_on` may run it, if that is said; those that it is `rather_not_on`
    run it if no other has room.
    """

    prompt_id: str
    job_id: str
    trace_id: str
    graph: ReadOnlyJson
    alternatives: Sequence[ReadOnlyJson] = ()
    resources: Sequence[JobResource] = ()
    files: Sequence[InputFile] = ()
    roles: Sequence[FileRole] = ()
    words_name_embeddings: bool = False
    has_common_shape: bool = False
    optional_nodes: Collection[str] = ()
    priority: int = NORMAL
    lasts: timedelta | None = None
    only_on: str | None = None
    rather_not_on: Collection[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """A provider's answer to a submission; `response` is ComfyUI's own answer body, `graph` the one that runs.

    `found` says that the provider had the prompt already, waiting, running or ended: nothing was sent, and nothing
    that an earlier claim of its job had begun is lost. `left_out` says why optional nodes are not in
    `graph`; for a prompt that was found it may be unknown. `is_done` says that its outputs can be collected, and read,
    without waiting for anything.
    """

    prompt_id: str
    response: ReadOnlyJson
    graph: ReadOnlyJson
    found: bool = False
    is_done: bool = False
    left_out: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """A file that an output node made; `content` can be read once."""

    node_id: str
    content_type: str
    content: AsyncIterator[bytes]


@dataclass(frozen=True, slots=True, kw_only=True)
class UndrawnOutput:
    """An image of an output node that is drawn when somebody asks for it; `size` is its width and height, if known."""

    node_id: str
    content_type: str
    recipe: GraphRecipe
    size: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outputs:
    """All files that a graph made, in order of node and batch index; `facts` go into the job's last event.

    Where it has made others, `previews` has those that were only to be shown.
    """

    items: Sequence[Output | UndrawnOutput]
    facts: ReadOnlyJson
    previews: Sequence[Output | UndrawnOutput] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """A rough view of an image while it is sampled."""

    content_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a prompt is: at `step` of the `steps` of the node that runs.

    `next_at` is when the next step is done, if that is known before.
    """

    node_id: str
    step: int
    steps: int
    preview: Preview | None = None
    next_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkerReport:
    """The state of one worker; `reason` says why it is not `ready`, `models` are its files by ComfyUI's folders.

    One that `is_draining` gets no new prompts. A server has a page for people at its `url`.
    `answers` says whether it answers and works on what it has, and `since` when it is, or drains, as it does now.
    """

    id: str
    ready: bool
    answers: bool = True
    since: datetime = EARLIEST_DATE
    reason: str = ""
    version: str = ""
    in_flight: int = 0
    max_in_flight: int | None = None
    ecosystems: Sequence[str] = ()
    models: Mapping[str, Sequence[str]] = field(default_factory=dict)
    is_draining: bool = False
    url: str | None = None


class Servers(Protocol):
    """Are the servers of a provider, which can be told what to do, each by the id of its worker."""

    @property
    def ids(self) -> Sequence[str]: ...

    def drain(self, ids: Collection[str]) -> None:
        """Send no new prompts to these, and to all others again; prompts that are there, or on their way, go on."""
        ...

    def recheck(self, worker_id: str) -> None:
        """Have a server asked at once whether it is there, and given a prompt if it was put aside."""
        ...

    async def check(self, worker_id: str, *, within: timedelta) -> None:
        """Do the same, and return when it has answered, or after this time."""
        ...


class Workforce(Protocol):
    """Says who is there to run graphs, under which `name`."""

    @property
    def name(self) -> str: ...

    @property
    def workers(self) -> Sequence[WorkerReport]:
        """Return all workers, those that do not answer included."""
        ...

    def workers_with(self, resources: Sequence[JobResource]) -> Sequence[str]:
        """Return the ids of the ready workers that have the files of all of these resources."""
        ...


class Provider(Protocol):
    """Runs graphs. Raises `JobError` for what ends the job, `TransientError` for what may pass.

    `reads_files` says whether it needs the content of all images that graphs read; otherwise it uses those that are
    stored here, and only the names of the others. `keeps_prompts` says whether a prompt can be asked for after the
    process that sent it has died: then its id has to be stored before it is sent. Without `tells_progress`, nothing is
    known of one that runs but what is `foreseen`. Without `servers` there is nothing that could be told what to do.
    """

    name: str
    description: str
    reads_files: bool
    keeps_prompts: bool
    tells_progress: bool

    async def send(self, submission: Submission) -> Receipt:
        """Start a graph; a prompt id that is known, unfinished or done, is not started again."""
        ...

    async def collect(self, prompt_id: str) -> Outputs:
        """Wait for the end of a prompt; raise `TransientError` if the provider has lost it."""
        ...

    async def cancel(self, prompt_id: str) -> None:
        """Stop a prompt wherever it is; an unknown or finished one is not an error."""
        ...

    async def strays(self) -> Mapping[str, str]:
        """Return prompts that wait or run there and that this process does not follow, each with its job's id."""
        ...

    def progress(self, prompt_id: str) -> Progress | None:
        """Return how far a prompt is; None if it waits, has ended or is unknown."""
        ...

    def foreseen(self, prompt_id: str) -> Progress | None:
        """Return how far a prompt is that goes by a plan, for who asks now: events need not tell what is foreseen.

        Return None for a prompt that does not, or that is not there, has ended, or has no steps.
        """
        ...

    def waited_until(self, prompt_id: str) -> datetime | None:
        """Return when a prompt's turn came, which is now while it waits for others; None if it waits for nobody."""
        ...

    @property
    def servers(self) -> Servers | None: ...

    @property
    def workers(self) -> Sequence[WorkerReport]:
        """Return all workers, those that do not answer included."""
        ...

    def workers_with(self, resources: Sequence[JobResource]) -> Sequence[str]:
        """Return the ids of the ready workers that have the files of all of these resources."""
        ...


# Reads an input, all of which has to be in memory for an operation: not before the operation begins.
LoadInput: TypeAlias = Callable[[], Awaitable[MediaInput]]


class Artist(Protocol):
    """Makes files in place of models and files that are not here; the same request always gets the same bytes.

    `image_content` is what new images show which their recipes say.
    """

    image_content: ImageContent

    async def draw(self, subject: str, *, seed: int) -> bytes:
        """Return a PNG file that has something to do with the subject."""
        ...

    async def draw_recipe(self, recipe: Recipe, graph_text: str) -> bytes:
        """Return a file, the same bytes each time and in each process; only a `GraphRecipe` needs the graph."""
        ...

    async def convert(self, image: bytes, file: ImageFile) -> bytes:
        """Write an image anew, with what it says of how it was made; raise `JobError` for other bytes."""
        ...

    async def derive(self, operation: "Operation", inputs: Sequence[LoadInput]) -> Derived:
        """Do an operation on files, which are loaded when its turn comes; raise `JobError` if it cannot be done."""
        ...

    async def transform(self, transformer: str, image: bytes) -> bytes:
        """Do to an image what v1's ImageTransformer of that name does; raise `JobError` for other bytes."""
        ...
