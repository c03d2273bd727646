"""The collections of a store, by role."""

from dataclasses import astuple, dataclass
from typing import Any, TypeAlias

from motor.motor_asyncio import AsyncIOMotorCollection, AsyncIOMotorDatabase

Document: TypeAlias = dict[str, Any]  # the driver knows no narrower type for what BSON may hold
Collection: TypeAlias = AsyncIOMotorCollection[Document]
Database: TypeAlias = AsyncIOMotorDatabase[Document]


@dataclass(frozen=True, slots=True)
class CollectionNames:
    """`blobs` is a GridFS bucket: `blobs.files` and `blobs.chunks`; beside `jobs` stands `jobs.reservations`."""

    resources: str = "resources"
    jobs: str = "jobs"
    job_events: str = "jobEvent"
    secrets: str = "settings"
    blobs: str = "blobs"

    def __post_init__(self) -> None:
        names: tuple[str, ...] = astuple(self)
        if len(set(names)) < len(names):
            raise ValueError(f"the names of the collections must differ, found {', '.join(names)}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Collections:
    resources: Collection
    jobs: Collection
    job_events: Collection
    reservations: Collection
    secrets: Collection
    blob_files: Collection
    blob_chunks: Collection


def collections_of(database: Database, names: CollectionNames) -> Collections:
    """All of them with the concerns of `database`."""
    return Collections(
        resources=database[names.resources],
        jobs=database[names.jobs],
        job_events=database[names.job_events],
        reservations=database[names.jobs].reservations,
        secrets=database[names.secrets],
        blob_files=database[names.blobs].files,
        blob_chunks=database[names.blobs].chunks,
    )
