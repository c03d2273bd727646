import json
import urllib.request

MOCK = "http://127.0.0.1:3000"
JOB = {
    "$type": "textToImage",
    "model": "urn:air:sd1:checkpoint:civitai:4384@128713",
    "params": {"prompt": "a fox in the snow", "width": 512, "height": 512, "seed": 7},
}


def call(path, body):
    headers = {"Content-Type": "application/json", "Authorization": "Bearer any"}
    request = urllib.request.Request(MOCK + path, data=json.dumps(body).encode(), headers=headers)
    with urllib.request.urlopen(request) as answer:
        return json.load(answer)


# wait=true holds the answer until the job has ended, at most WAIT_LIMIT_S seconds.
job = call("/v1/consumer/jobs?wait=true", JOB)["jobs"][0]
print(job["jobId"], job["lastEvent"]["type"])
urllib.request.urlretrieve(job["result"][0]["blobUrl"], "fox.png")
