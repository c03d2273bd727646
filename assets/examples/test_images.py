import json
import urllib.error
import urllib.request

import pytest


def submit(civitai_url, **params):
    job = {"$type": "textToImage", "model": "urn:air:sd1:checkpoint:civitai:4384@128713", "params": params}
    request = urllib.request.Request(f"{civitai_url}/v1/consumer/jobs?wait=true", data=json.dumps(job).encode())
    request.add_header("Content-Type", "application/json")
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)["jobs"][0]


def test_a_job_ends_with_a_png(civitai_url):
    job = submit(civitai_url, prompt="a fox", seed=7)
    assert job["lastEvent"]["type"] == "Succeeded"
    with urllib.request.urlopen(job["result"][0]["blobUrl"]) as image:
        assert image.read(8) == b"\x89PNG\r\n\x1a\n"


def test_a_wrong_request_names_the_member(civitai_url):
    with pytest.raises(urllib.error.HTTPError) as refused:
        submit(civitai_url, prompt="a fox", steps=5000)
    assert list(json.load(refused.value)["errors"]) == ["params.steps"]
