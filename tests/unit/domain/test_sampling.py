"""v1's scheduler names and ComfyUI's pairs for them."""

import pytest

from civitai_mock.domain.sampling import NAMES_OF_SAMPLINGS, SAMPLINGS, Sampling, scheduler_name
from civitai_mock.generation.ecosystems import ADAPTERS
from civitai_mock.generation.ecosystems.ecosystem import USUAL_SAMPLING
from tests.support.graph_check import NODES
from tests.support.table import table

# As the enumerations of the two descriptions have them.
V1_NAMES = """
    EulerA Euler LMS Heun DPM2 DPM2A DPM2SA DPM2M DPMSDE DPMFast DPMAdaptive LMSKarras DPM2Karras DPM2AKarras
    DPM2SAKarras DPM2MKarras DPMSDEKarras DDIM PLMS UniPC Undefined LCM DDPM DEIS
"""
V2_NAMES = """
    eulerA euler lms heun dpM2 dpM2A dpM2SA dpM2M dpmsde dpmFast dpmAdaptive lmsKarras dpM2Karras dpM2AKarras
    dpM2SAKarras dpM2MKarras dpmsdeKarras ddim plms uniPC undefined lcm ddpm deis dpM3MSDE
"""
SAMPLER_INPUTS = NODES["KSampler"]["required"]


@table("name", V1_NAMES.split())
def test_every_name_of_the_v1_description_is_known(name: str) -> None:
    assert scheduler_name(name) == name


@table("name", V2_NAMES.split())
def test_every_name_of_the_v2_description_is_known(name: str) -> None:
    assert (scheduler_name(name) or "").lower() == name.lower()


@pytest.mark.parametrize("name", ["", "Euler a", "euler_ancestral", "DPM++ 2M Karras", "karras"])
def test_other_names_are_unknown(name: str) -> None:
    assert scheduler_name(name) is None


@table("name", SAMPLINGS)
def test_comfyui_has_the_pair(name: str) -> None:
    sampling = SAMPLINGS[name].completed_by(USUAL_SAMPLING)
    assert sampling.sampler in SAMPLER_INPUTS["sampler_name"]["options"]
    assert sampling.noise_schedule in SAMPLER_INPUTS["scheduler"]["options"]


@table("name", [name for name in SAMPLINGS if name.endswith("Karras")])
def test_karras_changes_the_noise_schedule_only(name: str) -> None:
    plain = SAMPLINGS[name.removesuffix("Karras")]
    assert SAMPLINGS[name] == Sampling(plain.sampler, "karras")


def test_only_the_choice_of_the_server_differs_between_ecosystems() -> None:
    pairs = {adapter.name: SAMPLINGS["Undefined"].completed_by(adapter.undefined) for adapter in ADAPTERS}
    two_m_karras = Sampling("dpmpp_2m", "karras")
    assert pairs == {"sd1": two_m_karras, "sdxl": two_m_karras, "flux1": Sampling("euler", "simple")}
    assert all(SAMPLINGS["DDIM"].completed_by(adapter.undefined) == Sampling("ddim", "normal") for adapter in ADAPTERS)


def test_a_pair_that_is_half_open_keeps_its_other_half() -> None:
    usual = Sampling("euler", "simple")
    assert Sampling("ddim", "").completed_by(usual) == Sampling("ddim", "simple")
    assert Sampling("", "karras").completed_by(usual) == Sampling("euler", "karras")
    assert Sampling("ddim", "karras").completed_by(usual) == Sampling("ddim", "karras")


def test_no_two_public_names_mean_the_same_pair() -> None:
    assert {NAMES_OF_SAMPLINGS[pair]: pair for pair in SAMPLINGS.values()} == SAMPLINGS
