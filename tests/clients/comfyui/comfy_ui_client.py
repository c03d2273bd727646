"""PyPI's `comfy-ui-client`, unchanged: address and graph on standard input, what it got on standard output."""

import json
import sys
from typing import Any

from comfy_ui_client import ComfyUIClient


def main(url: str, graph: Any) -> dict[str, Any]:
    client = ComfyUIClient(url.removeprefix("http://"))
    client.connect()
    steps: list[int] = []
    prompt_id = client.queue_prompt(graph)["prompt_id"]
    ended = client.handle_message(prompt_id, graph, handle_progress_event=lambda *told: steps.append(told[1]))
    client.close()
    return {
        "ended": ended == prompt_id,
        "steps": steps,
        "images": client.get_history(prompt_id)[prompt_id]["outputs"]["9"]["images"],
        "extensions": client.get_extensions(),
        "embeddings": client.get_embeddings(),
        "queue": client.get_queue(),
    }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(**json.load(sys.stdin))))
