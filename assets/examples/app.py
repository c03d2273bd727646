"""An app that makes images, as yours may: it tries again while the service fails."""

import json
import time
import urllib.error
import urllib.request


def make_image(prompt, *, base_url, token):
    job = {"$type": "textToImage", "model": "urn:air:sd1:checkpoint:civitai:4384@128713", "params": {"prompt": prompt}}
    request = urllib.request.Request(f"{base_url}/v1/consumer/jobs?wait=true", data=json.dumps(job).encode())
    request.add_header("Content-Type", "application/json")
    request.add_header("Authorization", f"Bearer {token}")
    job = json.loads(fetch(request))["jobs"][0]
    return fetch(job["result"][0]["blobUrl"])


def fetch(request, attempts=4):
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.read()
    except urllib.error.HTTPError as error:
        if error.code < 500 or attempts == 1:
            raise
    time.sleep(0.05)
    return fetch(request, attempts - 1)
