"""Which ControlNet files do the same job: the best known one for each preprocessor and ecosystem, and its likes.

ComfyUI does not notice a ControlNet of another ecosystem before the picture is drawn, so a file has to say by its
name, or its folder, whose it is.
"""

from collections.abc import Mapping

from civitai_mock.generation.work import FileRole

# What a file has to say to be of use for a preprocessor.
KINDS: Mapping[str, str] = {
    "Canny": r"canny",
    "DepthZoe": r"depth|zoe|midas",
    "SoftedgePidinet": r"soft[-_ ]?edge|(?<![a-z])hed(?![a-z])|pidi",
    # Nothing is trained on cut-outs; a tile ControlNet keeps to the picture that it is given.
    "Rembg": r"(?<![a-z])tile",
}
SD1 = r"(?<![a-z])sd[-_ ]?v?1|stable-diffusion-v?1|v11[a-z]|controlnet11|(?<![a-z0-9.])1\.5(?![0-9])"
SDXL = r"sdxl|xl(?![a-z])|control-lora-|ttplanet|illustrious|(?<![a-z])(?:pony|noob)"
FLUX1 = r"flux"
OTHERS = (
    r"sd[-_ ]?v?[23]|stable-diffusion-v?[23]|flux[-_.]?2|qwen|hunyuan|kolors|cascade|pixart|(?<![a-z])wan|z[-_]image"
    r"|lumina|cosmos"
)
MARKS: Mapping[str, str] = {"sd1": SD1, "sdxl": SDXL, "flux1": FLUX1}
# Before there were other ecosystems, files did not say that they are of the first one.
UNMARKED_SD1 = r"(?:^|/)(?:control|t2i-?adapter)_(?:canny|depth|hed|v1)|sd-controlnet"
# Loaded by nodes of their own, or made for masks and hands.
USELESS = r"lllite|inpaint|(?<![a-z])hand|flux1?-(?:canny|depth)-dev"
LESSER = r"t2i|lora|small|slim"

BEST_KNOWN: Mapping[str, Mapping[str, str]] = {
    "sd1": {
        "Canny": "control_v11p_sd15_canny.pth",
        "DepthZoe": "control_v11f1p_sd15_depth.pth",
        "SoftedgePidinet": "control_v11p_sd15_softedge.pth",
        "Rembg": "control_v11f1e_sd15_tile.pth",
    },
    "sdxl": {
        "Canny": "diffusers_xl_canny_full.safetensors",
        "DepthZoe": "diffusers_xl_depth_full.safetensors",
        "SoftedgePidinet": "sargezt_xl_softedge.safetensors",
        "Rembg": "TTPLANET_Controlnet_Tile_realistic_v2_fp16.safetensors",
    },
    "flux1": {
        "Canny": "flux-canny-controlnet-v3.safetensors",
        "DepthZoe": "flux-depth-controlnet-v3.safetensors",
        "SoftedgePidinet": "flux-hed-controlnet-v3.safetensors",
        "Rembg": "Flux.1-dev-Controlnet-Upscaler.safetensors",
    },
}
# A ControlNet for upscaling keeps to its picture as one for tiles does, and FLUX.1 has a known one of that kind.
KINDS_OF_ONE: Mapping[tuple[str, str], str] = {("flux1", "Rembg"): r"(?<![a-z])tile|upscaler"}


def control_net_role(*, ecosystem: str, preprocessor: str) -> FileRole:
    """The first patterns are for whole ControlNets that say whose they are; the last for those that say nothing."""
    kind = KINDS_OF_ONE.get((ecosystem, preprocessor), KINDS[preprocessor])
    mine = MARKS[ecosystem]
    strange = _any(*(marks for name, marks in MARKS.items() if name != ecosystem), OTHERS, USELESS)
    unmarked = strange if ecosystem == "sd1" else _any(strange, UNMARKED_SD1)
    return FileRole(
        name=BEST_KNOWN[ecosystem][preprocessor],
        patterns=(
            _pattern(_any(kind), _any(mine), without=_any(strange, LESSER)),
            _pattern(_any(kind), _any(mine), without=strange),
            _pattern(_any(kind), without=unmarked),
        ),
    )


def _any(*alternatives: str) -> str:
    return f"(?:{'|'.join(alternatives)})"


def _pattern(*wanted: str, without: str) -> str:
    """All of `wanted` in any order, and nothing of `without`."""
    return "^" + "".join(f"(?=.*{words})" for words in wanted) + f"(?!.*{without})"
