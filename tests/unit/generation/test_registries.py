"""A file that nobody registered, or an entry without its file, fails at once."""

from importlib import import_module
from importlib.resources import files

import pytest

from civitai_mock.domain.air import Air
from civitai_mock.generation.comfyui_facts import FOLDERS_OF_TYPES
from civitai_mock.generation.control_nets.resources import CONTROL_NET
from civitai_mock.generation.ecosystems import ADAPTERS, ECOSYSTEMS, MODEL_TYPES, find_ecosystem
from civitai_mock.generation.job_types import JOB_TYPES, SPECS
from civitai_mock.generation.job_types.draft import JobSpec
from civitai_mock.generation.job_types.step_job_types import STEP_JOB_TYPES, STEP_SPECS
from civitai_mock.generation.networks.kinds import KINDS
from civitai_mock.generation.text_to_image.resources import UPSCALER
from tests.support.generation import SKELETONS
from tests.support.table import table

GENERATION = files("civitai_mock") / "generation"


def modules(folder: str) -> set[str]:
    names = {file.name for file in (GENERATION / folder).iterdir()}
    return {name.removesuffix(".py") for name in names if name.endswith(".py")} - {"__init__"}


def test_every_ecosystem_is_registered_and_has_its_skeleton() -> None:
    assert {adapter.name for adapter in ADAPTERS} == modules("ecosystems") - {"ecosystem"}


def test_every_skeleton_is_used_and_there() -> None:
    assert {name for adapter in ADAPTERS for kind in adapter.kinds for name in kind.skeletons} == set(SKELETONS)


def test_every_input_that_takes_a_model_has_its_files() -> None:
    for adapter in ADAPTERS:
        inputs = {SKELETONS[name].slots["model"][1] for kind in adapter.kinds for name in kind.skeletons}
        assert inputs == set(adapter.model_files)


def test_every_type_of_resource_that_graphs_load_has_its_folders() -> None:
    assert MODEL_TYPES | KINDS.keys() | {CONTROL_NET, UPSCALER} <= FOLDERS_OF_TYPES.keys()


def test_every_role_is_named_in_a_skeleton() -> None:
    """And every file that a skeleton names beside its model is a role, which several files can play."""
    for adapter in ADAPTERS:
        nodes = [node for kind in adapter.kinds for name in kind.skeletons for node in SKELETONS[name].nodes.values()]
        named = {str(value) for node in nodes for value in node.inputs.values() if "safetensors" in str(value)}
        assert named == {role.name for role in adapter.roles}


def test_every_job_type_is_registered() -> None:
    found = [import_module(f"{JobSpec.__module__.rpartition('.')[0]}.{name}") for name in modules("job_types")]
    defined = {item for module in found for item in vars(module).values() if hasattr(item, "job_type")}
    assert defined == {*SPECS, *STEP_SPECS}


def test_no_two_entries_share_a_name() -> None:
    assert len(ECOSYSTEMS) == sum(1 + len(adapter.aliases) for adapter in ADAPTERS)
    assert len({**JOB_TYPES, **STEP_JOB_TYPES}) == len(SPECS) + len(STEP_SPECS)


@table(
    ("ecosystem", "adapter"),
    [
        ("sd1", "sd1"),
        ("sdxl", "sdxl"),
        ("pony", "sdxl"),
        ("illustrious", "sdxl"),
        ("noobai", "sdxl"),
        ("flux1", "flux1"),
        ("flux1kontext", "flux1"),
        ("fluxkrea", "flux1"),
        ("SDXL", "sdxl"),
    ],
)
def test_an_ecosystem_is_built_by_its_adapter(ecosystem: str, adapter: str) -> None:
    found = find_ecosystem(Air.parse(f"urn:air:{ecosystem}:checkpoint:civitai:1@2"))
    assert found is not None
    assert found.name == adapter


@pytest.mark.parametrize("air", ["urn:air:wanvideo:checkpoint:civitai:1@2", "civitai:1@2"])
def test_other_ecosystems_are_unknown(air: str) -> None:
    assert find_ecosystem(Air.parse(air)) is None
