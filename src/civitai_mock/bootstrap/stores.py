"""Open the store that the settings name, and read what an empty one is filled with."""

import json
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from importlib.resources import files

from civitai_mock.domain.air import Air
from civitai_mock.domain.resource import Resource
from civitai_mock.ports import Metrics, Stores
from civitai_mock.settings import Settings


def open_stores(settings: Settings, *, metrics: Metrics | None = None) -> AbstractAsyncContextManager[Stores]:
    """Open the store of MONGODB_URI; motor is only imported when it is needed."""
    names = {
        "resources": settings.mongodb_collection_name,
        "jobs": settings.mongodb_jobs_collection_name,
        "job_events": settings.mongodb_jobevent_collection_name,
    }
    if settings.mongodb_uri is None or settings.store_is_embedded:
        from civitai_mock.storage.sqlite import TableNames, open_sqlite

        directory = settings.data_dir if settings.mongodb_uri is None else None
        return open_sqlite(directory=directory, names=TableNames(**names), metrics=metrics)
    from civitai_mock.storage.mongo import CollectionNames, open_mongo

    uri = settings.mongodb_uri.get_secret_value()
    return open_mongo(uri=uri, database=settings.mongodb_db_name, names=CollectionNames(**names), metrics=metrics)


def read_catalogue() -> Sequence[Resource]:
    """Read the built-in resources."""
    documents = json.loads((files("civitai_mock") / "services" / "catalogue.json").read_text("utf-8"))
    return [Resource(air=Air.parse(document.pop("air")), fields=document) for document in documents]
