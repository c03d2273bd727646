"""Take files that callers send: what they are is seen by their bytes, and they have to be decodable."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import ExitStack, suppress
from dataclasses import replace
from datetime import datetime, timedelta
from functools import partial
from hashlib import sha256
from tempfile import SpooledTemporaryFile
from typing import IO

from civitai_mock.domain.blob import Blob, blob_id_of
from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import (
    InvalidRequestError,
    TransientError,
    UndecodableFileError,
    UnsupportedMediaTypeError,
)
from civitai_mock.domain.maturity import NsfwLevel
from civitai_mock.domain.media import SNIFFED_BYTES, UNKNOWN_TYPE, extension_of, sniffed_type
from civitai_mock.ports import BlobStore, Clock, FileInspector, Ids
from civitai_mock.services.blob_tokens import BlobTokens, UploadToken
from civitai_mock.services.blob_urls import SIGNATURE, V2_BLOBS_PATH, SignedUrl
from civitai_mock.services.stored_file import open_stored_file
from civitai_mock.services.streams import CHUNK_BYTES, chained

# v2 contract, section 2; other clients send sounds of any type.
FILE_TYPES = frozenset({"image/jpeg", "image/png", "image/webp", "video/mp4", "video/webm"})
EXPECTED = f"{', '.join(sorted(FILE_TYPES))} or audio/*"
OTHER_NAMES = {"image/jpg": "image/jpeg", "": UNKNOWN_TYPE}
SOUNDS_IN = {"video/mp4": "audio/mp4", "video/webm": "audio/webm"}
URL_LIFETIME = timedelta(hours=1)
SPOOLED_BYTES = 8 * 2**20  # of an upload are kept in memory while its digest is taken; more lie in a file
# An upload that is not described by then has lost its process, and is swept.
LOOKED_AT_WITHIN = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class UploadBlobs:
    """Stores what is sent for `lifetime`; a file that breaks off or cannot be decoded leaves nothing behind."""

    blobs: BlobStore
    inspector: FileInspector
    tokens: BlobTokens
    clock: Clock
    ids: Ids
    lifetime: timedelta

    def signed_url(self, *, base_url: str, owner: str) -> SignedUrl:
        """Return a URL to which whoever has it can send files that are `owner`'s, and when it stops working."""
        expires_at = self.clock.now().replace(microsecond=0) + URL_LIFETIME
        signature = self.tokens.sign_until(UploadToken(owner=owner), expires_at)
        return SignedUrl(f"{base_url}{V2_BLOBS_PATH}?{SIGNATURE}={signature}", expires_at)

    async def __call__(self, content: AsyncIterator[bytes], *, declared_type: str, owner: str) -> Blob:
        """Return the blob of the content.

        Raise `InvalidRequestError` for none, `UnsupportedMediaTypeError` for a type that is not taken, and
        `UndecodableFileError` for bytes that are not what they begin like.
        """
        head = await _read_head(content)
        content_type = _type_of(head, declared_type)
        ids, whole = await self._draw(chained(head, content), owner)
        stored = await self.blobs.put(
            blob_id_of(ids.uuid(), extension_of(content_type)),
            whole,
            content_type=content_type,
            keep_until=self.clock.now() + LOOKED_AT_WITHIN,
            owner=owner,
        )
        try:
            return await self._described(stored)
        except BaseException:
            await asyncio.shield(self.discard(stored.key))
            raise

    async def discard(self, key: str) -> None:
        """Delete a file that nobody will need; while the store is away it stays, until it is swept."""
        with suppress(TransientError):
            await self.blobs.delete(key)

    async def _draw(self, content: AsyncIterator[bytes], owner: str) -> tuple[Ids, AsyncIterator[bytes]]:
        """Return what is drawn for an upload, and its content, which is read beforehand if it decides that."""
        if not self.ids.is_seeded:
            return self.ids, content
        digest = sha256(owner.encode())
        with ExitStack() as stack:
            file = stack.enter_context(SpooledTemporaryFile(SPOOLED_BYTES))
            async for chunk in content:
                digest.update(chunk)
                file.write(chunk)
            file.seek(0)
            stack.pop_all()  # as `_chunks_of` closes it
        return await self.ids.of_request(digest.digest), _chunks_of(file)

    async def _described(self, stored: Blob) -> Blob:
        with open_stored_file(partial(self.blobs.read, stored.key), size=stored.size) as file:
            found = await self.inspector.inspect(file, stored.content_type)
        facts = replace(found, nsfw_level=NsfwLevel.PG)
        keep_until: datetime = self.clock.now() + self.lifetime
        if not await self.blobs.describe(stored.key, facts, keep_until=keep_until):
            raise TransientError("The file was deleted before it was looked at.")
        return replace(stored, facts=facts, keep_until=keep_until)


async def _chunks_of(file: IO[bytes]) -> AsyncIterator[bytes]:
    """Yield what is in a file, and close it."""
    with file:
        while chunk := file.read(CHUNK_BYTES):
            yield chunk


async def _read_head(content: AsyncIterator[bytes]) -> bytes:
    """Return as many bytes as show the type; raise `InvalidRequestError` if there are none at all."""
    head = b""
    while len(head) < SNIFFED_BYTES and (chunk := await anext(content, None)) is not None:
        head += chunk
    if not head:
        raise InvalidRequestError("The body is empty; send the bytes of the file.")
    return head


def _type_of(head: bytes, declared_type: str) -> str:
    """Return the type by the bytes; what is declared only has to be one that is taken."""
    declared = declared_type.partition(";")[0].strip().lower()
    declared = OTHER_NAMES.get(declared, declared)
    is_sound = declared.startswith("audio/")
    if declared not in FILE_TYPES and declared != UNKNOWN_TYPE and not is_sound:
        raise UnsupportedMediaTypeError(f"The body is '{declared}'; expected the bytes of a file as {EXPECTED}.")
    found = sniffed_type(head)
    if found is None and declared != UNKNOWN_TYPE:
        raise UndecodableFileError(f"The body does not begin like a file of type {declared}.")
    if found is None or (found not in FILE_TYPES and not found.startswith("audio/")):
        raise UnsupportedMediaTypeError(f"The body is {found or 'no file that is known'}; expected {EXPECTED}.")
    return SOUNDS_IN.get(found, found) if is_sound else found
