"""Submit a job, and draw a progress bar in the terminal while it is done."""

import json
import os
from urllib.request import Request, urlopen

URL = os.environ.get("CIVITAI_BASE_URL", "http://127.0.0.1:3000") + "/v1/consumer/jobs"
JOB = {
    "$type": "textToImage",
    "model": "urn:air:sdxl:checkpoint:civitai:101055@128078",
    "params": {"prompt": "a fox", "steps": 20, "width": 512, "height": 512},
}
HEADERS = {"Content-Type": "application/json", "Authorization": "Bearer any"}

with urlopen(Request(URL, json.dumps(JOB).encode(), HEADERS)) as answer:
    job_id = json.load(answer)["jobId"]
with urlopen(Request(f"{URL}/{job_id}/events", headers=HEADERS)) as stream:
    for line in stream:
        if line.startswith(b"data: "):
            told = json.loads(line.removeprefix(b"data: "))
            if told["type"] == "queue_position":
                print(f"\rat place {told['position']} ", end="", flush=True)
            elif told["type"] == "generation_progress":
                done = told["step"] * 40 // told["steps"]
                print(f"\r[{'#' * done:<40}] {told['step']}/{told['steps']} ", end="", flush=True)
            elif told["type"] in {"generation_complete", "generation_failed"}:
                print(f"\n{told.get('imageUrl') or told.get('message')}")
