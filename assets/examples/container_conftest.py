import pytest

from civitai_mock.pytest_plugin import CivitaiMockServer
from civitai_mock.testcontainers import CivitaiMockContainer


@pytest.fixture(scope="session")
def civitai_mock_server():
    with CivitaiMockContainer() as container:
        yield CivitaiMockServer(container.url, token=container.token)
