"""Settings of the stores: MongoDB, or SQLite in a folder of this user."""

import os
from pathlib import Path

from platformdirs import user_data_path
from pydantic import SecretStr, ValidationInfo, field_validator

from civitai_mock.settings.fields import Name, SettingsGroup, setting

PROGRAM = "civitai-mock"
MEMORY_URI = "memory://"
MONGODB_SCHEMES = ("mongodb://", "mongodb+srv://")


def _own_data_folder() -> Path:
    """Return the folder of this user; without a home, one that `Settings` refuses if it is needed at all."""
    try:
        return user_data_path(PROGRAM, appauthor=False)
    except RuntimeError:
        return Path("~", PROGRAM)


class MongoSettings(SettingsGroup):
    """Chooses the store, and the names in it."""

    mongodb_uri: SecretStr | None = setting(
        None,
        "Chooses the store: a MongoDB URI; `memory://` for SQLite in memory, with nothing on disk; unset for SQLite"
        " in `DATA_DIR`",
        expected="mongodb://…, mongodb+srv://…, memory:// or nothing",
    )
    mongodb_db_name: Name = setting("civitai", "Names the MongoDB database", expected="a name")
    mongodb_collection_name: Name = setting(
        "resources", "Names the collection or table of resources", expected="a name"
    )
    mongodb_jobs_collection_name: Name = setting("jobs", "Names the collection or table of jobs", expected="a name")
    mongodb_jobevent_collection_name: Name = setting(
        "jobEvent", "Names the collection or table of job events", expected="a name"
    )

    @field_validator("mongodb_uri")
    @classmethod
    def _check_store(cls, value: SecretStr | None) -> SecretStr | None:
        uri = value.get_secret_value() if value else MEMORY_URI
        if uri != MEMORY_URI and not uri.startswith(MONGODB_SCHEMES):
            raise ValueError("no such store")
        return value


class EmbeddedStoreSettings(MongoSettings):
    """Says where the embedded store is, and what an empty store begins with."""

    data_dir: Path = setting(
        _own_data_folder(),
        "Names the folder of the embedded store and its blobs",
        expected="a folder",
        validate_default=True,
    )
    seed_resources: bool | None = setting(
        None,
        "Says whether an empty store gets the built-in catalogue at start: `true` every store, `false` none, unset"
        " only the embedded one",
        expected="true, false or nothing",
    )

    @field_validator("data_dir")
    @classmethod
    def _expand_home(cls, value: Path, info: ValidationInfo) -> Path:
        """Refuse an unknown home only for the store in files: no other store needs a folder."""
        folder = Path(os.path.expanduser(value))  # noqa: PTH111 - pathlib's own raises what pydantic does not take
        if folder.parts[:1] and folder.parts[0].startswith("~") and info.data.get("mongodb_uri") is None:
            raise ValueError("this user has no home folder")
        return folder

    @property
    def store_is_embedded(self) -> bool:
        return self.mongodb_uri is None or self.mongodb_uri.get_secret_value() == MEMORY_URI

    @property
    def seeds_at_start(self) -> bool:
        return self.store_is_embedded if self.seed_resources is None else self.seed_resources
