"""PyPI's `comfy-api-client`, unchanged: address and graph on standard input, what it got on standard output."""

import asyncio
import json
import sys
from typing import Any

from comfy_api_client import create_client
from PIL import Image


async def main(url: str, graph: Any) -> dict[str, Any]:
    """By HTTP: the client's way by WebSocket calls a method of its own that it does not have."""
    async with create_client(url, start_state_tracker="http") as client:
        response = await client.submit_workflow(graph, return_future=True)
        result = await response.future
        uploaded = await client.upload_image("in.png", Image.new("RGBA", (8, 8)))
        masked = await client.upload_mask("masked.png", Image.new("RGBA", (8, 8)), uploaded)
        return {
            "images": [[image.filename, image.format, *image.image.size] for image in result.output_images],
            "extensions": list(await client.get_extensions()),
            "embeddings": list(await client.get_embeddings()),
            "os": (await client.get_system_stats()).system.os,
            "metadata": await client.retrieve_metadata("loras", "add_detail.safetensors"),
            "uploaded": [uploaded.name, masked.name],
            "completed": len(await client.get_completed_prompts()),
            "queue": [len((await client.get_queue()).pending), len((await client.get_queue()).running)],
        }


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(main(**json.load(sys.stdin)))))
