"""Choose a real ComfyUI server to test on, and its model files for each purpose.

`COMFY_TEST_URL` is its address. A file is the one that `COMFY_TEST_` with a name of `PARTS` (`COMFY_TEST_SDXL_LORA`)
says, in the server's own spelling, or else one of the server's whose name looks right; what needs a file that is not
there is skipped. Queue and history are left as they were; images stay in the server's folders: no route deletes them.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

URL = os.environ.get("COMFY_TEST_URL", "")
NO_URL = "COMFY_TEST_URL names no ComfyUI server"
SPECIAL = "inpaint|refiner|turbo|lightning|lcm|kontext|fill|flux"
SD1_LIKE = r"sd.?v?1|v1-5"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """Says what a file is wanted as: its AIR, its folder, and patterns that its name must match and must not match."""

    air: str
    folder: str
    looks: str
    but_not: str = "^$"

    def chosen(self, name: str, files: Sequence[str]) -> str | None:
        """Of those that look right the shortest, as special ones have longer names."""
        looks, but_not = re.compile(self.looks, re.IGNORECASE), re.compile(self.but_not, re.IGNORECASE)
        right = [file for file in files if looks.search(file) and not but_not.search(file)]
        return os.environ.get(f"COMFY_TEST_{name}") or min(right, key=lambda file: (len(file), file), default=None)


PARTS = {
    "SD1": Part(air="sd1:checkpoint:civitai:1@1", folder="checkpoints", looks=SD1_LIKE, but_not=f"xl|{SPECIAL}"),
    "SDXL": Part(air="sdxl:checkpoint:civitai:2@2", folder="checkpoints", looks="xl", but_not=SPECIAL),
    "SDXL_REFINER": Part(air="sdxl:checkpoint:civitai:3@3", folder="checkpoints", looks="xl.*refiner"),
    "FLUX_DEV": Part(air="flux1:checkpoint:civitai:4@4", folder="diffusion_models", looks="flux.*dev"),
    "FLUX_SCHNELL": Part(air="flux1:checkpoint:civitai:5@5", folder="diffusion_models", looks="flux.*schnell"),
    "FLUX_DEV_CHECKPOINT": Part(air="flux1:checkpoint:civitai:6@6", folder="checkpoints", looks="flux.*dev"),
    "FLUX_SCHNELL_CHECKPOINT": Part(air="flux1:checkpoint:civitai:7@7", folder="checkpoints", looks="flux.*schnell"),
    "SD1_LORA": Part(air="sd1:lora:civitai:11@11", folder="loras", looks=SD1_LIKE),
    "SDXL_LORA": Part(air="sdxl:lora:civitai:12@12", folder="loras", looks="xl"),
    "FLUX_LORA": Part(air="flux1:lora:civitai:13@13", folder="loras", looks="flux"),
    "SD1_EMBEDDING": Part(air="sd1:embedding:civitai:21@21", folder="embeddings", looks="neg|bad", but_not="xl"),
    "SD1_VAE": Part(air="sd1:vae:civitai:31@31", folder="vae", looks="^sd_|mse|ema|840000", but_not="xl"),
    "SD1_CANNY": Part(air="sd1:controlnet:civitai:41@41", folder="controlnet", looks="canny", but_not="xl|flux"),
    "UPSCALER": Part(air="other:upscaler:civitai:51@51", folder="upscale_models", looks=r"\dx|x\d"),
}
