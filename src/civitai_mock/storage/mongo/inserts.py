"""Insert what may be there already."""

from collections.abc import Sequence

from pymongo.errors import BulkWriteError

from civitai_mock.storage.mongo.collections import Collection, Document
from civitai_mock.storage.mongo.errors import only_duplicates


async def insert_missing(collection: Collection, documents: Sequence[Document]) -> int:
    """The answer is how many were new to the collection's unique index."""
    if not documents:
        return 0
    try:
        await collection.insert_many(documents, ordered=False)
    except BulkWriteError as error:
        if not only_duplicates(error):
            raise
        return int(error.details["nInserted"])
    return len(documents)
