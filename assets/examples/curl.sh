# 1. Add a checkpoint of your own. The built-in catalogue is there already.
curl -s http://127.0.0.1:3000/v2/resources -H 'Content-Type: application/json' \
  -d '{"air": "urn:air:sd1:checkpoint:civitai:999001@999002", "modelName": "My Model", "type": "checkpoint"}'

# 2. Submit a job. The answer has the id of the job and a token for all jobs of the request.
curl -s http://127.0.0.1:3000/v1/consumer/jobs -H 'Content-Type: application/json' -H 'Authorization: Bearer any' \
  -d @assets/example-input.json -o job.json
JOB=$(python3 -c 'import json; print(json.load(open("job.json"))["jobId"])')

# 3. Ask until the job has succeeded. That takes a few simulated seconds.
until curl -s "http://127.0.0.1:3000/v1/consumer/jobs/$JOB" -o status.json && grep -q '"type":"Succeeded"' status.json
do sleep 1; done

# 4. Download the image.
curl -s "$(python3 -c 'import json; print(json.load(open("status.json"))["result"][0]["blobUrl"])')" -o image.png
