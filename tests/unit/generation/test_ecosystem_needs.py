"""What a server has to have for an ecosystem, said as work that it could do."""

from typing import Any

from civitai_mock.generation.ecosystems import ECOSYSTEMS, ecosystem_needs
from civitai_mock.providers.comfyui.graphs.catalogue import read_catalogue
from civitai_mock.providers.comfyui.workers.health import EcosystemSupport
from tests.support.generation import SKELETONS
from tests.support.graph_check import NODES
from tests.support.table import table

NEEDS = ecosystem_needs(SKELETONS)
FOLDERS = {"ckpt_name": "checkpoints", "unet_name": "unet", "vae_name": "vae", "clip_name1": "te", "clip_name2": "te"}
SDXL = ["sdxl", "pony", "illustrious", "noobai"]
FLUX1 = ["flux1", "flux1kontext", "fluxkrea"]
PARTS = {"te": ["t5xxl_fp16.safetensors", "clip_l.safetensors"], "vae": ["ae.sft"]}


def served(files: dict[str, list[str]], *, without: str = "") -> set[str]:
    """By a server with these files, and with all core nodes but one."""
    object_info: Any = {
        name: {
            "input": {
                "required": {
                    given: [[*files.get(FOLDERS[given], [])], {}] for given in node["required"] if given in FOLDERS
                }
            }
        }
        for name, node in NODES.items()
        if name != without
    }
    return set(EcosystemSupport(NEEDS).ecosystems(read_catalogue(object_info, ())))


def test_there_are_needs_of_every_ecosystem() -> None:
    assert set(NEEDS) == set(ECOSYSTEMS)


@table(
    ("files", "expected"),
    [
        ({}, []),
        ({"checkpoints": ["dreamshaper_8.safetensors"]}, ["sd1", *SDXL]),
        ({"checkpoints": ["v1-5-pruned-emaonly.safetensors"]}, ["sd1"]),
        ({"checkpoints": ["sd_xl_base_1.0.safetensors"]}, SDXL),
        ({"checkpoints": ["sdxl/civitai/101055/128078.safetensors"]}, SDXL),
        ({"checkpoints": ["sd1/civitai/4384/128713.safetensors"]}, ["sd1"]),
        ({"checkpoints": ["sd_xl_refiner_1.0.safetensors", "sd3.5_large.safetensors"]}, []),
        ({"checkpoints": ["FLUX1\\flux1-dev-fp8.safetensors"]}, FLUX1),
        ({"checkpoints": ["flux2_dev.safetensors"]}, []),
        ({"unet": ["flux1-dev.safetensors"]}, []),
        ({"unet": ["flux1-dev.safetensors"], **PARTS}, FLUX1),
        ({"unet": ["my own.safetensors"], **PARTS}, FLUX1),
        ({"unet": ["wan2.1_t2v_14B.safetensors"], **PARTS}, []),
        ({"unet": ["flux1-dev.safetensors"], **PARTS, "vae": ["sdxl_vae.safetensors"]}, []),
    ],
)
def test_an_ecosystem_is_served_by_whoever_has_the_files_of_one_of_its_graphs(
    files: dict[str, list[str]], expected: list[str]
) -> None:
    assert served(files) == set(expected)


def test_an_ecosystem_is_not_served_without_a_node_of_its_graphs() -> None:
    files = {"checkpoints": ["dreamshaper_8.safetensors"], "unet": ["flux1-dev.safetensors"], **PARTS}
    assert served(files, without="KSampler") == set(FLUX1)


def test_nothing_is_served_by_a_server_that_was_never_asked() -> None:
    assert EcosystemSupport(NEEDS).ecosystems(None) == ()


def test_a_new_catalogue_is_looked_at_anew() -> None:
    object_info: Any = {name: {"input": {"required": {"ckpt_name": [["a.ckpt"], {}]}}} for name in NODES}
    teller = EcosystemSupport(NEEDS)
    assert teller.ecosystems(read_catalogue({}, ())) == ()
    assert "sd1" in teller.ecosystems(read_catalogue(object_info, ()))
