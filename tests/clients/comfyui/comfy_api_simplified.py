"""PyPI's `comfy-api-simplified`, unchanged: address and graph on standard input, what it got on standard output."""

import json
import sys
from typing import Any

from comfy_api_simplified import ComfyApiWrapper, ComfyWorkflowWrapper


def main(url: str, graph: Any) -> dict[str, Any]:
    client, workflow = ComfyApiWrapper(url), ComfyWorkflowWrapper(graph)
    workflow.set_node_param("Sampler", "seed", 5)
    images = client.queue_and_wait_images(workflow, "Save Image")
    return {
        "images": {name: content[:8].hex() for name, content in images.items()},
        "embeddings": client.get_embeddings(),
        "queue": client.get_queue(),
        "node": list(client.get_object_info("KSampler")),
        "version": client.get_system_stats()["system"]["comfyui_version"],
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(**json.load(sys.stdin))))
