import json
import os
import socket
import subprocess
import sys
import time
import unittest
import urllib.request

from app import make_image


class MockTestCase(unittest.TestCase):
    """Starts a mock that keeps everything in memory, and gives each test a world of its own on it."""

    @classmethod
    def setUpClass(cls):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            port = listener.getsockname()[1]
        cls.mock = f"http://127.0.0.1:{port}"
        settings = {"PORT": str(port), "MONGODB_URI": "memory://", "SIMULATION_PROFILE": "instant"}
        cls.server = subprocess.Popen([sys.executable, "-m", "civitai_mock"], env={**os.environ, **settings})
        while not cls.is_healthy():
            assert cls.server.poll() is None, "civitai-mock ended"
            time.sleep(0.05)

    @classmethod
    def tearDownClass(cls):
        cls.server.terminate()
        cls.server.wait()

    @classmethod
    def is_healthy(cls):
        try:
            with urllib.request.urlopen(f"{cls.mock}/health", timeout=1):
                return True
        except OSError:
            return False

    def setUp(self):
        self.namespace = self.id()[-64:]
        self.url = f"{self.mock}/ns/{self.namespace}"
        self.control("DELETE", f"/namespaces/{self.namespace}")
        self.control("PUT", f"/namespaces/{self.namespace}", {"seed": 7})

    def control(self, method, path, body=None):
        """Ask the control plane."""
        request = urllib.request.Request(f"{self.mock}/_mock{path}", json.dumps(body or {}).encode(), method=method)
        request.add_header("Content-Type", "application/json")
        request.add_header("X-Mock-Namespace", self.namespace)
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read() or "null")


class AppTest(MockTestCase):
    def test_it_tries_again(self):
        self.control("POST", "/faults", {"match": {"method": "POST"}, "preset": "html-error", "times": 2})
        image = make_image("a fox", base_url=self.url, token="any")
        self.assertTrue(image.startswith(b"\x89PNG"))
