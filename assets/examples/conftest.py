import os
import socket
import subprocess
import sys
import time
import urllib.request

import pytest


@pytest.fixture(scope="session")
def civitai_url():
    """The address of a civitai-mock that keeps everything in memory and ends jobs in milliseconds."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    settings = {"PORT": str(port), "MONGODB_URI": "memory://", "SIMULATION_PROFILE": "instant"}
    server = subprocess.Popen([sys.executable, "-m", "civitai_mock"], env={**os.environ, **settings})
    url = f"http://127.0.0.1:{port}"
    while not is_healthy(url):
        assert server.poll() is None, "civitai-mock ended"
        time.sleep(0.05)
    yield url
    server.terminate()
    server.wait()


def is_healthy(url):
    try:
        with urllib.request.urlopen(f"{url}/health", timeout=1):
            return True
    except OSError:
        return False
