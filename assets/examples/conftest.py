import pytest


@pytest.fixture(scope="session")
def civitai_mock_settings():
    return {"AUTH": "any", "BUZZ_BALANCE": 1000}
