"""Job types that put blobs into archives."""

from typing import ClassVar

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.generation.job_types.draft import CompleteSpec
from civitai_mock.generation.work import ArchiveWork


@dataclass(frozen=True, slots=True, kw_only=True)
class ArchivedBlob:
    """Is a blob with the name of its file in an archive."""

    key: str
    file_name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BlobArchiveSpec(CompleteSpec):
    """Puts blobs of the same consumer into an archive, which can be downloaded for a while."""

    job_type: ClassVar[str] = "BlobArchive"
    cost: ClassVar[float] = 0

    entries: tuple[ArchivedBlob, ...]
    archive_format: str
    name: str | None = None

    def own_work(self) -> ArchiveWork:
        return ArchiveWork(
            entries=tuple((entry.key, entry.file_name) for entry in self.entries),
            archive_format=self.archive_format,
            name=self.name,
        )
