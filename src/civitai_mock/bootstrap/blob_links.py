"""Make what signs the URLs of the blobs of a namespace, and knows them again."""

from datetime import timedelta

from civitai_mock.bootstrap.runtime import Runtime
from civitai_mock.ports import Clock
from civitai_mock.services.blob_urls import OwnBlobLinks, WorkflowBlobUrls
from civitai_mock.services.blobs import BlobUrls


def make_blob_links(runtime: Runtime, namespace: str, *, clock: Clock) -> OwnBlobLinks:
    """Return the URLs of v1 and of v2, which are signed for this namespace alone."""
    settings, key = runtime.settings, runtime.blob_key
    lifetime, workflow_lifetime = settings.blob_url_lifetime_s, settings.workflow_url_lifetime_s
    return OwnBlobLinks(
        blob_urls=BlobUrls(key=key, lifetime=timedelta(seconds=lifetime), clock=clock, namespace=namespace),
        workflow_blob_urls=WorkflowBlobUrls(
            key=key, lifetime=timedelta(seconds=workflow_lifetime), clock=clock, namespace=namespace
        ),
    )
