"""URLs that callers name as the source of a picture."""

from dataclasses import dataclass

from civitai_mock.domain.errors import ForbiddenError, InvalidRequestError
from civitai_mock.services.blobs import BlobUrls
from civitai_mock.services.hosts import NO_URL, HostPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class PictureUrls:
    """One of our own leads to the store, so its host does not matter; without `hosts`, nothing is fetched at all."""

    blob_urls: BlobUrls
    hosts: HostPolicy | None

    def check(self, url: str, *, path: str) -> None:
        """Raise `InvalidRequestError` for one that can never be used."""
        try:
            key = self.blob_urls.key_in(url)
        except ForbiddenError as error:
            raise _unusable(path, error.message) from error
        except ValueError as error:
            raise _unusable(path, NO_URL) from error
        if key is None and self.hosts is not None:
            self.hosts.check(url, path=path)


def _unusable(path: str, fault: str) -> InvalidRequestError:
    return InvalidRequestError(f"The {path} cannot be used.", errors={path: [fault]})
