import json
import urllib.request

MOCK = "http://127.0.0.1:3000"
WORKFLOW = {
    "steps": [
        {
            "$type": "textToImage",
            "input": {
                "model": "urn:air:sd1:checkpoint:civitai:4384@128713",
                "prompt": "a fox in the snow",
                "width": 512,
                "height": 512,
                "seed": 7,
            },
        }
    ]
}


def call(path, body=None):
    headers = {"Content-Type": "application/json", "Authorization": "Bearer any"}
    data = None if body is None else json.dumps(body).encode()
    with urllib.request.urlopen(urllib.request.Request(MOCK + path, data=data, headers=headers)) as answer:
        return json.load(answer)


# wait=30 holds the answer until the workflow is over, for at most 30 s; then it is asked for again.
workflow = call("/v2/consumer/workflows?wait=30", WORKFLOW)
while workflow["status"] not in {"succeeded", "failed", "expired", "canceled"}:
    workflow = call(f"/v2/consumer/workflows/{workflow['id']}?wait=30")
print(workflow["id"], workflow["status"])
urllib.request.urlretrieve(workflow["steps"][0]["output"]["images"][0]["url"], "fox.jpeg")
