"""Draw an image when somebody asks for its bytes, and keep them: the one way from a blob to its bytes."""

from collections.abc import AsyncIterator
from functools import partial
from hashlib import sha256
from typing import Protocol

import structlog

from civitai_mock.domain.blob import Blob, UndrawnBlob, etag_of
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import MockError, NotDrawnError, NotFoundError, TransientError
from civitai_mock.domain.events import GRAPH_MEMBER
from civitai_mock.generation.recipe import GraphRecipe, read_recipe
from civitai_mock.ports import Artist, BlobStore, JobStore
from civitai_mock.services.shared_work import SharedWork
from civitai_mock.services.streams import in_chunks

logger = structlog.stdlib.get_logger()


class Read(Protocol):
    """Yields bytes `start` to `stop` (exclusive); raises `NotFoundError` for a blob that was deleted."""

    def __call__(self, *, start: int, stop: int) -> AsyncIterator[bytes]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenBlob:
    """Is a blob whose bytes can be read: from the store or, where it could not take them, from memory."""

    blob: Blob
    read: Read

    def content(self) -> AsyncIterator[bytes]:
        return self.read(start=0, stop=self.blob.size)


class BlobDrawing:
    """Opens blobs. Whoever opens an undrawn one, and all who do so meanwhile, wait for the same drawing.

    What is drawn takes the place of the recipe, unless that was deleted. If the store cannot take it, it is given out
    all the same, and drawn again next time. A drawing goes on if nobody waits for it any more.
    """

    def __init__(self, *, blobs: BlobStore, jobs: JobStore, artist: Artist) -> None:
        self._blobs = blobs
        self._jobs = jobs
        self._artist = artist
        self._drawings: SharedWork[OpenBlob] = SharedWork(name="drawing")
        self._can_keep = True

    async def aclose(self) -> None:
        """Break off what is being drawn: the recipe stays."""
        await self._drawings.aclose()

    async def open(self, blob: Blob | UndrawnBlob) -> OpenBlob:
        """Raise `NotFoundError` for what is deleted meanwhile, and `NotDrawnError` for what cannot be drawn."""
        if isinstance(blob, Blob):
            return self._stored(blob)
        return await self._drawings.run(blob.key, partial(self._draw, blob.key))

    def _stored(self, blob: Blob) -> OpenBlob:
        return OpenBlob(blob=blob, read=partial(self._blobs.read, blob.key))

    async def _draw(self, key: str) -> OpenBlob:
        """Look first: somebody may have been told of the recipe while an earlier drawing came to its end."""
        blob = await self._find(key)
        if isinstance(blob, Blob):
            return self._stored(blob)
        content = await self._drawn(blob)
        try:
            kept = await self._blobs.fill(blob, in_chunks(content))
        except TransientError as error:
            self._note_failure(blob, error)
            filled = blob.filled(size=len(content), etag=etag_of(sha256(content).hexdigest()))
            return OpenBlob(blob=filled, read=partial(in_chunks, content))
        self._can_keep = True
        if kept is None:  # as another process was faster, or the blob was deleted or stored again
            return await self._draw(key)
        return self._stored(kept)

    async def _find(self, key: str) -> Blob | UndrawnBlob:
        blob = await self._blobs.stat(key)
        if blob is None:
            raise NotFoundError(f"The blob '{key}' does not exist.")
        return blob

    async def _drawn(self, blob: UndrawnBlob) -> bytes:
        try:
            recipe = read_recipe(blob.recipe)
            graph_text = await self._graph(recipe.job_id) if isinstance(recipe, GraphRecipe) else ""
            return await self._artist.draw_recipe(recipe, graph_text)
        except MockError:
            raise
        except Exception as error:
            logger.exception("image not drawn", blob_key=blob.key, recipe=blob.recipe)
            raise NotDrawnError(
                "The image could not be drawn because of an error in this server; see its log.", blob_key=blob.key
            ) from error

    async def _graph(self, job_id: str) -> str:
        """Return the text of the graph that ran; a job is kept as long as its undrawn images."""
        events = await self._jobs.events(job_id)
        if not events:
            raise NotFoundError(f"The job '{job_id}', which made this image, does not exist any more.")
        graphs = (event.context[GRAPH_MEMBER] for event in reversed(events) if GRAPH_MEMBER in event.context)
        return str(next(graphs))

    def _note_failure(self, blob: UndrawnBlob, error: TransientError) -> None:
        """Log once until something can be kept again."""
        if self._can_keep:
            logger.warning("drawn image not kept", blob_key=blob.key, reason=error.message)
        self._can_keep = False
