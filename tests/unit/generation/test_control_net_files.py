"""Which ControlNet files of a server do for which preprocessor and ecosystem."""

import re
from collections.abc import Sequence

import pytest

from civitai_mock.generation.control_nets.preprocessors import RECIPES
from civitai_mock.generation.control_nets.resources import BEST_KNOWN, control_net_role
from civitai_mock.generation.ecosystems import ADAPTERS
from tests.support.table import table

# Names under which these files are published or commonly kept.
SERVER = [
    "control_v11e_sd15_ip2p.pth",
    "control_v11f1e_sd15_tile.pth",
    "control_v11f1p_sd15_depth_fp16.safetensors",
    "control_v11p_sd15_canny_fp16.safetensors",
    "control_v11p_sd15_inpaint_fp16.safetensors",
    "control_v11p_sd15_lineart_fp16.safetensors",
    "control_v11p_sd15_softedge_fp16.safetensors",
    "control_v11p_sd15s2_lineart_anime.pth",
    "control_sd15_inpaint_depth_hand_fp16.safetensors",
    "t2iadapter_depth_sd15v2.pth",
    "control_v11p_sd21_canny.safetensors",
    "control_v11p_sd21_hed.safetensors",
    "sd3.5_large_controlnet_canny.safetensors",
    "sd3.5_large_controlnet_depth.safetensors",
    "diffusers_xl_canny_mid.safetensors",
    "diffusers_xl_depth_full.safetensors",
    "sai_xl_canny_256lora.safetensors",
    "sargezt_xl_softedge.safetensors",
    "t2i-adapter_diffusers_xl_depth_zoe.safetensors",
    "thibaud_xl_openpose.safetensors",
    "kohya_controllllite_xl_canny.safetensors",
    "ttplanetSDXLControlnet_v20Fp16.safetensors",
    "xinsir-controlnet-tile-sdxl-1.0.safetensors",
    "xinsir-controlnet-union-sdxl-1.0-promax.safetensors",
    "flux-canny-controlnet-v3.safetensors",
    "flux-depth-controlnet-v3.safetensors",
    "flux-hed-controlnet-v3.safetensors",
    "Flux.1-dev-Controlnet-Upscaler.safetensors",
    "FLUX.1-dev-ControlNet-Union-Pro-2.0.safetensors",
    "flux1-canny-dev.safetensors",
    "Qwen-Image-InstantX-ControlNet-Canny.safetensors",
    "hunyuandit_controlnet_depth.safetensors",
]
ON_SERVER = {
    ("sd1", "Canny"): ["control_v11p_sd15_canny_fp16.safetensors"],
    ("sd1", "DepthZoe"): ["control_v11f1p_sd15_depth_fp16.safetensors"],
    ("sd1", "SoftedgePidinet"): ["control_v11p_sd15_softedge_fp16.safetensors"],
    ("sd1", "Rembg"): ["control_v11f1e_sd15_tile.pth"],
    ("sdxl", "Canny"): ["diffusers_xl_canny_mid.safetensors"],
    ("sdxl", "DepthZoe"): ["diffusers_xl_depth_full.safetensors"],
    ("sdxl", "SoftedgePidinet"): ["sargezt_xl_softedge.safetensors"],
    ("sdxl", "Rembg"): ["xinsir-controlnet-tile-sdxl-1.0.safetensors"],
    ("flux1", "Canny"): ["flux-canny-controlnet-v3.safetensors"],
    ("flux1", "DepthZoe"): ["flux-depth-controlnet-v3.safetensors"],
    ("flux1", "SoftedgePidinet"): ["flux-hed-controlnet-v3.safetensors"],
    ("flux1", "Rembg"): ["Flux.1-dev-Controlnet-Upscaler.safetensors"],
}
EVERY_ROLE = [(adapter.name, preprocessor) for adapter in ADAPTERS for preprocessor in RECIPES]


def playing(ecosystem: str, preprocessor: str, files: Sequence[str]) -> list[str]:
    """The files that the first pattern finds which finds any."""
    for pattern in control_net_role(ecosystem=ecosystem, preprocessor=preprocessor).patterns:
        if found := [file for file in files if re.search(pattern, file.lower())]:
            return found
    return []


def users(file: str) -> set[tuple[str, str]]:
    """The roles that a file has on a server that has nothing else."""
    return {role for role in EVERY_ROLE if playing(*role, [file])}


@table(("ecosystem", "preprocessor"), EVERY_ROLE)
def test_a_well_stocked_server_has_a_file_for_everything(ecosystem: str, preprocessor: str) -> None:
    assert playing(ecosystem, preprocessor, SERVER) == ON_SERVER[ecosystem, preprocessor]


@table(("ecosystem", "preprocessor"), EVERY_ROLE)
def test_the_best_known_file_fits_its_own_first_pattern_and_no_other_ecosystem(
    ecosystem: str, preprocessor: str
) -> None:
    name = BEST_KNOWN[ecosystem][preprocessor]
    first = control_net_role(ecosystem=ecosystem, preprocessor=preprocessor).patterns[0]
    assert re.search(first, name.lower())
    assert users(name) == {(ecosystem, preprocessor)}


@table(
    ("file", "roles"),
    [
        ("control_sd15_canny_slim.safetensors", {("sd1", "Canny")}),
        ("SD1.5/canny/diffusion_pytorch_model.safetensors", {("sd1", "Canny")}),
        ("1.5/control_depth.pth", {("sd1", "DepthZoe")}),
        ("stable-diffusion-v1-5_hed.safetensors", {("sd1", "SoftedgePidinet")}),
        ("controlnet11Models_tileE.safetensors", {("sd1", "Rembg")}),
        ("control_canny-fp16.safetensors", {("sd1", "Canny")}),
        ("sd-controlnet-depth.safetensors", {("sd1", "DepthZoe")}),
        ("t2iadapter_canny_sd14v1.pth", {("sd1", "Canny")}),
        ("controlnet-canny-sdxl-1.0.safetensors", {("sdxl", "Canny")}),
        ("control-lora-canny-rank256.safetensors", {("sdxl", "Canny")}),
        ("sai_xl_depth_128lora.safetensors", {("sdxl", "DepthZoe")}),
        ("depth-zoe-xl-v1.0-controlnet.safetensors", {("sdxl", "DepthZoe")}),
        ("SDXL/controlnet-zoe-depth/model.safetensors", {("sdxl", "DepthZoe")}),
        ("illustriousXL_softedge.safetensors", {("sdxl", "SoftedgePidinet")}),
        ("TTPLANET_Controlnet_Tile_realistic_v1_fp32.safetensors", {("sdxl", "Rembg")}),
        ("xlabs/flux-canny-controlnet.safetensors", {("flux1", "Canny")}),
        ("flux/depth.safetensors", {("flux1", "DepthZoe")}),
        ("FLUX.1-dev-Controlnet-Canny.safetensors", {("flux1", "Canny")}),
        ("instantx_flux_tile.safetensors", {("flux1", "Rembg")}),
        # Nobody can say whose these are; they are better than nothing.
        ("canny.safetensors", {("sd1", "Canny"), ("sdxl", "Canny"), ("flux1", "Canny")}),
        ("my-depth-net.safetensors", {("sd1", "DepthZoe"), ("sdxl", "DepthZoe"), ("flux1", "DepthZoe")}),
    ],
)
def test_a_file_is_taken_for_what_its_path_says(file: str, roles: set[tuple[str, str]]) -> None:
    assert users(file) == roles


@table(
    "file",
    [
        "control_v11p_sd15_openpose.pth",
        "control_v11p_sd15_inpaint.pth",
        "control_sd15_inpaint_depth_hand_fp16.safetensors",
        "control_v11p_sd21_canny.safetensors",
        "sd3.5_large_controlnet_depth.safetensors",
        "kohya_controllllite_xl_depth.safetensors",
        "thibaud_xl_openpose.safetensors",
        "flux1-depth-dev.safetensors",
        "flux2-canny-controlnet.safetensors",
        "Qwen-Image-InstantX-ControlNet-Canny.safetensors",
        "Wan2.1_canny_control.safetensors",
        "diffusion_pytorch_model.safetensors",
        "scheduled.safetensors",
    ],
)
def test_a_file_for_something_else_is_never_taken(file: str) -> None:
    assert users(file) == set()


@pytest.mark.parametrize(
    ("ecosystem", "better", "worse"),
    [
        ("sdxl", "controlnet-canny-sdxl-1.0.safetensors", "sai_xl_canny_256lora.safetensors"),
        ("sdxl", "sai_xl_canny_256lora.safetensors", "canny.safetensors"),
        ("sd1", "control_v11p_sd15_canny.pth", "t2iadapter_canny_sd15v2.pth"),
        ("sd1", "control_sd15_canny_slim.safetensors", "control_canny-fp16.safetensors"),
        ("flux1", "flux-canny-controlnet.safetensors", "canny.safetensors"),
    ],
)
def test_of_two_files_the_better_one_is_taken(ecosystem: str, better: str, worse: str) -> None:
    assert playing(ecosystem, "Canny", [worse, better]) == [better]
