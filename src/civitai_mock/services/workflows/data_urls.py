"""Store files that stand in the inputs of steps as data URLs: the echo of such an input has URLs of blobs (capture)."""

import base64
import binascii
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import field

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import MockError, QueueFullError, TransientError, fault
from civitai_mock.domain.json_types import Json, as_list
from civitai_mock.domain.references import NESTED, Path, print_path
from civitai_mock.services.blob_urls import WorkflowBlobUrls
from civitai_mock.services.streams import one_chunk
from civitai_mock.services.uploads import UploadBlobs

BEGIN = "data:"
COLON = len(BEGIN) - 1
DATA_URL = re.compile(r"data:(?:image|video|audio)/[a-z0-9.+-]+(?:;[^,;]*)*;base64,", re.IGNORECASE)


@dataclass(slots=True, kw_only=True)
class Uploaded:
    """Holds the keys of the files of one submission, which `are_needed` once its workflow is stored."""

    keys: list[str] = field(default_factory=list)
    are_needed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreDataUrls:
    """Uploads each file as its caller could have done, and puts the URL of its blob in the place of the data URL."""

    upload_blobs: UploadBlobs
    blob_urls: WorkflowBlobUrls

    async def __call__(self, value: Json, *, owner: str, base_url: str, path: str, uploaded: list[str]) -> Json:
        """Return a value, which stands at `path`, without data URLs in it; the keys of its blobs go to `uploaded`.

        Raise `InvalidRequestError`, with the path, for one that is broken, or is no file of a type that is taken.
        """
        stored: dict[str, str] = {}
        for place, text in _data_urls(value):
            if text not in stored:
                where = f"{path}.{print_path(place)}" if place else path
                key = await self._store(text, owner=owner, path=where)
                uploaded.append(key)
                stored[text] = self.blob_urls.sign(key, base_url=base_url).url
        return _replaced(value, stored) if stored else value

    @asynccontextmanager
    async def of_submission(self) -> AsyncIterator[Uploaded]:
        """Delete the files of a submission afterwards unless they `are_needed`, or it may be stored."""
        files = Uploaded()
        try:
            yield files
        except QueueFullError:
            await self._discard(files)
            raise
        except TransientError:
            raise
        except MockError:
            await self._discard(files)
            raise
        if not files.are_needed:
            await self._discard(files)

    async def _discard(self, files: Uploaded) -> None:
        for key in files.keys:
            await self.upload_blobs.discard(key)

    async def _store(self, text: str, *, owner: str, path: str) -> str:
        head, _, content = text.partition(",")
        try:
            file = one_chunk(base64.b64decode(content, validate=True))
            blob = await self.upload_blobs(file, declared_type=head[len(BEGIN) :], owner=owner)
        except TransientError:
            raise
        except binascii.Error as error:
            raise fault(path, "The data URL is not valid base64.") from error
        except MockError as error:
            raise fault(path, error.message) from error
        return blob.key


def has_data_url(value: Json) -> bool:
    """Return whether there is a data URL in a value: mostly there is none, and nothing has to be awaited."""
    waiting: list[Json] = [[value]]
    for item in waiting:
        for part in item.values() if isinstance(item, dict) else as_list(item):
            if isinstance(part, str):
                if _is_data_url(part):
                    return True
            elif part and isinstance(part, NESTED):
                waiting.append(part)
    return False


def _is_data_url(text: str) -> bool:
    """Look at one character first, as few texts have a colon there."""
    return text[COLON : COLON + 1] == ":" and DATA_URL.match(text) is not None


def _data_urls(value: Json) -> list[tuple[Path, str]]:
    if isinstance(value, str):
        return [((), value)] if _is_data_url(value) else []
    found: list[tuple[Path, str]] = []
    waiting: list[tuple[Path, Json]] = [((), value)]
    while waiting:
        place, item = waiting.pop()
        for name, part in item.items() if isinstance(item, dict) else enumerate(as_list(item)):
            if isinstance(part, str):
                if _is_data_url(part):
                    found.append(((*place, name), part))
            elif isinstance(part, NESTED):
                waiting.append(((*place, name), part))
    return found


def _replaced(value: Json, stored: dict[str, str]) -> Json:
    if isinstance(value, dict):
        return {name: _replaced(item, stored) for name, item in value.items()}
    if isinstance(value, list):
        return [_replaced(item, stored) for item in value]
    return stored.get(value, value) if isinstance(value, str) else value
