"""The store for many processes, in MongoDB through motor."""

from civitai_mock.storage.mongo.collections import CollectionNames
from civitai_mock.storage.mongo.open import open_mongo

__all__ = ["CollectionNames", "open_mongo"]
