"""The files that a stand-in has from the start: model names from a catalogue."""

import pytest

from civitai_mock.comfyui_standin.default_files import default_model_names
from tests.support.jobs import CHECKPOINT, LORA, make_resource


def test_resources_are_in_the_folders_that_comfyui_looks_into() -> None:
    models = default_model_names([make_resource(CHECKPOINT), make_resource(LORA)])
    assert models["checkpoints"] == models["diffusion_models"] == ["sdxl/civitai/101055/128078.safetensors"]
    assert models["loras"] == ["lora/sdxl/civitai/122359/135867.safetensors"]


def test_a_file_name_of_its_own_wins() -> None:
    assert default_model_names([make_resource(CHECKPOINT, fileName="mine.ckpt")])["checkpoints"] == ["mine.ckpt"]


def test_resources_that_comfyui_has_no_folder_for_are_left_out() -> None:
    assert default_model_names([make_resource("urn:air:sd1:wildcards:civitai:1@2")]) == default_model_names([])


def test_text_encoders_and_vae_are_always_there() -> None:
    assert {"text_encoders", "vae"} <= default_model_names([]).keys()


def test_files_that_comfyui_comes_with_are_there() -> None:
    assert "v1-inference.yaml" in default_model_names([])["configs"]


@pytest.mark.parametrize("name", ["control_v11p_sd15_canny.pth", "diffusers_xl_depth_full.safetensors"])
def test_control_nets_are_there_for_whoever_names_none(name: str) -> None:
    assert name in default_model_names([])["controlnet"]
