"""Port of what looks into files that callers sent."""

from typing import BinaryIO, Protocol

from civitai_mock.domain.blob import BlobFacts


class FileInspector(Protocol):
    """Says what is in a file, after reading as much of it as is needed to be sure that it can be decoded."""

    async def inspect(self, file: BinaryIO, content_type: str) -> BlobFacts:
        """Return size and duration of an image, a video or a sound; raise `UndecodableFileError` for other content.

        The file is read in a thread, at any place.
        """
        ...
