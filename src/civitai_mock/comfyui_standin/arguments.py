"""The command line options of a stand-in: ComfyUI's own with its defaults, and a few that only a stand-in has.

This module imports little, because every command of `civitai-mock` imports it.
"""

import argparse
import os
from collections.abc import Mapping
from typing import Any

from civitai_mock.comfyui_standin import COMFYUI_VERSION

PORT = 8188
ALL_ADDRESSES = "0.0.0.0,::"
# These options of ComfyUI change nothing that a client of a stand-in sees: devices, precision, memory, the web page.
IGNORED_SWITCHES = (
    "--auto-launch", "--disable-auto-launch", "--cuda-malloc", "--disable-cuda-malloc", "--force-fp32", "--force-fp16",
    "--fp32-unet", "--fp64-unet", "--bf16-unet", "--fp16-unet", "--fp8_e4m3fn-unet", "--fp8_e5m2-unet",
    "--fp8_e8m0fnu-unet", "--fp16-vae", "--fp32-vae", "--bf16-vae", "--cpu-vae", "--fp8_e4m3fn-text-enc",
    "--fp8_e5m2-text-enc", "--fp16-text-enc", "--fp32-text-enc", "--bf16-text-enc", "--force-channels-last",
    "--disable-ipex-optimize", "--supports-fp8-compute", "--use-split-cross-attention", "--use-quad-cross-attention",
    "--use-pytorch-cross-attention", "--use-sage-attention", "--use-flash-attention", "--disable-xformers",
    "--force-upcast-attention", "--dont-upcast-attention", "--gpu-only", "--highvram", "--normalvram", "--lowvram",
    "--novram", "--async-offload", "--force-non-blocking", "--disable-smart-memory", "--deterministic",
    "--mmap-torch-files", "--disable-mmap", "--dont-print-server", "--quick-test-for-ci", "--windows-standalone-build",
    "--log-stdout",
)  # fmt: skip
IGNORED_VALUES: Mapping[str, str | None] = {
    "--cuda-device": None,
    "--default-device": None,
    "--directml": "?",
    "--oneapi-device-selector": None,
    "--reserve-vram": None,
    "--default-hashing-function": None,
    "--fast": "*",
    "--verbose": "?",
    "--front-end-version": None,
    "--front-end-root": None,
    "--user-directory": None,
    "--comfy-api-base": None,
    "--database-url": None,
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    _add_serving(parser.add_argument_group("ComfyUI's options"))
    _add_folders(parser.add_argument_group("folders, as ComfyUI has them"))
    _add_behaviour(parser)
    _add_installation(parser.add_argument_group("what is installed, beside files in folders"))
    for name in IGNORED_SWITCHES:
        parser.add_argument(name, action="store_true", help=argparse.SUPPRESS)
    for name, count in IGNORED_VALUES.items():
        parser.add_argument(name, nargs=count, help=argparse.SUPPRESS)


def _add_serving(group: Any) -> None:
    group.add_argument(
        "--listen",
        nargs="?",
        const=ALL_ADDRESSES,
        metavar="IP",
        help="addresses to listen on, separated by commas; default HOST, which is 127.0.0.1; without a value all",
    )
    group.add_argument("--port", type=_port, default=PORT, help=f"default {PORT}")
    group.add_argument("--tls-keyfile", metavar="FILE", help="serve https, with --tls-certfile")
    group.add_argument("--tls-certfile", metavar="FILE", help="serve https, with --tls-keyfile")
    group.add_argument(
        "--enable-cors-header", nargs="?", const="*", metavar="ORIGIN", help="allow web pages of other origins"
    )
    group.add_argument("--enable-compress-response-body", action="store_true", help="compress JSON and plain text")
    group.add_argument("--max-upload-size", type=float, default=100, metavar="MB", help="largest body; default 100")


def _add_folders(group: Any) -> None:
    group.add_argument(
        "--base-directory",
        type=os.path.abspath,
        metavar="FOLDER",
        help="folder with models/, input/, output/ and temp/; there are then no other model files",
    )
    folders = {
        "--input-directory": "images to load; default in memory",
        "--output-directory": "where images are saved; default in memory",
        "--temp-directory": "parent of the folder temp, which is emptied at the start; default in memory",
    }
    for name, text in folders.items():
        group.add_argument(name, type=os.path.abspath, metavar="FOLDER", help=text)
    group.add_argument(
        "--extra-model-paths-config",
        type=os.path.abspath,
        nargs="+",
        action="extend",
        metavar="FILE",
        help="extra_model_paths.yaml: more folders with model files",
    )


def _add_behaviour(parser: argparse.ArgumentParser) -> None:
    group = parser.add_argument_group("what it does, as in ComfyUI")
    group.add_argument(
        "--preview-method",
        choices=["none", "auto", "latent2rgb", "taesd"],
        default="none",
        help="anything but none sends a preview of each step; default none",
    )
    group.add_argument(
        "--preview-size", type=int, default=512, metavar="PIXELS", help="longer side of a preview; default 512"
    )
    group.add_argument("--disable-metadata", action="store_true", help="save files without the graph")
    group.add_argument("--multi-user", action="store_true", help="keep a folder for each user")
    group.add_argument("--cpu", action="store_true", help="report a CPU instead of a GPU")
    group.add_argument("--disable-api-nodes", action="store_true", help="do not load the nodes of paid services")
    group.add_argument("--disable-all-custom-nodes", action="store_true", help="do not load the nodes of --object-info")
    group.add_argument(
        "--whitelist-custom-nodes", nargs="+", default=[], metavar="PACK", help="node packs to load all the same"
    )
    caches = parser.add_mutually_exclusive_group()
    caches.add_argument("--cache-classic", action="store_true", help="keep what the last graph made (default)")
    caches.add_argument("--cache-lru", type=int, default=0, metavar="N", help="keep what the latest N nodes made")
    caches.add_argument("--cache-none", action="store_true", help="run every node each time")


def _add_installation(group: Any) -> None:
    group.add_argument(
        "--object-info",
        type=os.path.abspath,
        action="append",
        default=[],
        metavar="FILE",
        help="answer of a real server's /object_info: its nodes, and the model files that it lists",
    )
    group.add_argument(
        "--comfyui-version",
        default=COMFYUI_VERSION,
        metavar="VERSION",
        help=f"version that /system_stats reports; default {COMFYUI_VERSION}",
    )


def split_addresses(listen: str) -> list[str]:
    """Return the addresses in the value of --listen."""
    return [address.strip() for address in listen.split(",")]


def _port(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= 65535):
        raise argparse.ArgumentTypeError(f"found '{text}', expected a number from 1 to 65535")
    return int(text)
