"""PyPI's `comfyui-utils`, unchanged: address and graph on standard input, what it got on standard output."""

import asyncio
import json
import sys
from typing import Any

from comfyui_utils.comfy import Callbacks, ComfyAPI


class Report(Callbacks):  # type: ignore[misc]  # its class is not there when types are checked
    def __init__(self) -> None:
        self.steps: list[int] = []
        self.outputs: list[Any] = []
        self.heads: list[str] = []

    async def queue_position(self, position: Any) -> None:
        """Not of interest."""

    async def in_progress(self, *told: int) -> None:
        self.steps.append(told[1])

    async def completed(self, *told: Any) -> None:
        self.outputs.append(told[0])

    async def fetched(self, file: Any) -> None:
        self.heads.append(file.read(8).hex())


async def main(url: str, graph: Any) -> dict[str, Any]:
    client, report = ComfyAPI(url.removeprefix("http://")), Report()
    await client.submit(graph, report)
    for image in report.outputs[0]["images"]:
        await client.fetch(image, report.fetched)
    return {"steps": report.steps, "images": report.outputs[0]["images"], "heads": report.heads}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(asyncio.run(main(**json.load(sys.stdin)))))
