MOCK=http://127.0.0.1:3000
TOKEN='Authorization: Bearer any'
JSON='Content-Type: application/json'
member() { python3 -c 'import json, sys; print(eval(sys.argv[2], {"it": json.load(open(sys.argv[1]))}))' "$1" "$2"; }

# 1. Ask what it would cost. Nothing is stored.
curl -s "$MOCK/v2/consumer/workflows?whatif=true" -H "$TOKEN" -H "$JSON" -d @assets/examples/workflow.json -o estimate.json
member estimate.json 'it["cost"]["total"]'

# 2. Submit it, and wait for its end for at most 30 s. The answer is a 202 if that was too short.
curl -s "$MOCK/v2/consumer/workflows?wait=30" -H "$TOKEN" -H "$JSON" -d @assets/examples/workflow.json -o workflow.json
ID=$(member workflow.json 'it["id"]')

# 3. Look again; this waits, too.
curl -s "$MOCK/v2/consumer/workflows/$ID?wait=30" -H "$TOKEN" -o workflow.json
member workflow.json 'it["status"]'

# 4. Download the upscaled image. Its URL is a redirect, and needs no token.
curl -sL "$(member workflow.json 'it["steps"][1]["output"]["blob"]["url"]')" -o large.jpeg

# 5. Upload a file, and use it as an input; a recipe answers the output of its only step.
curl -s "$MOCK/v2/consumer/blobs" -H "$TOKEN" -H 'Content-Type: image/jpeg' --data-binary @large.jpeg -o blob.json
curl -s "$MOCK/v2/consumer/recipes/convertImage" -H "$TOKEN" -H "$JSON" \
  -d "{\"image\": \"$(member blob.json 'it["url"]')\", \"output\": {\"format\": \"webp\"}}" -o converted.json
curl -sL "$(member converted.json 'it["blob"]["url"]')" -o large.webp

# 6. Mark the workflow, and find it again by what marks it.
curl -s "$MOCK/v2/consumer/workflows/$ID/tags" -H "$TOKEN" -H "$JSON" -d '"favorite"'
curl -s -X PATCH "$MOCK/v2/consumer/workflows/$ID" -H "$TOKEN" -H 'Content-Type: application/json-patch+json' \
  -d '[{"op": "add", "path": "/metadata/rating", "value": 5}]'
curl -s "$MOCK/v2/consumer/workflows?tags=demo&tags=favorite" -H "$TOKEN" -o found.json

# 7. Cancel what still runs (this one has ended, so nothing changes), and delete it.
curl -s -X PUT "$MOCK/v2/consumer/workflows/$ID" -H "$TOKEN" -H "$JSON" -d '{"status": "canceled"}'
curl -s -X DELETE "$MOCK/v2/consumer/workflows/$ID" -H "$TOKEN"
