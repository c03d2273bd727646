"""Samplers: ComfyUI's pair of sampler and noise schedule for each public name, which v1 calls `scheduler`."""

from collections.abc import Mapping

from civitai_mock.domain.dataclass import dataclass


@dataclass(frozen=True, slots=True)
class Sampling:
    """Is ComfyUI's pair of `sampler_name` and `scheduler`; an empty name leaves the choice to the ecosystem."""

    sampler: str
    noise_schedule: str

    def completed_by(self, other: "Sampling") -> "Sampling":
        """Return this pair, with the names of the other one in the place of those that are empty."""
        if self.sampler and self.noise_schedule:
            return self
        return Sampling(self.sampler or other.sampler, self.noise_schedule or other.noise_schedule)


UNDEFINED = "Undefined"
LEFT_OPEN = Sampling("", "")
SAMPLINGS: Mapping[str, Sampling] = {
    "EulerA": Sampling("euler_ancestral", "normal"),  # capture comfy-graph-sdxl-worker
    "Euler": Sampling("euler", "normal"),
    "LMS": Sampling("lms", "normal"),
    "Heun": Sampling("heun", "normal"),
    "DPM2": Sampling("dpm_2", "normal"),
    "DPM2A": Sampling("dpm_2_ancestral", "normal"),
    "DPM2SA": Sampling("dpmpp_2s_ancestral", "normal"),
    "DPM2M": Sampling("dpmpp_2m", "normal"),
    "DPMSDE": Sampling("dpmpp_sde", "normal"),
    "DPMFast": Sampling("dpm_fast", "normal"),
    "DPMAdaptive": Sampling("dpm_adaptive", "normal"),
    "LMSKarras": Sampling("lms", "karras"),
    "DPM2Karras": Sampling("dpm_2", "karras"),
    "DPM2AKarras": Sampling("dpm_2_ancestral", "karras"),
    "DPM2SAKarras": Sampling("dpmpp_2s_ancestral", "karras"),
    "DPM2MKarras": Sampling("dpmpp_2m", "karras"),
    "DPMSDEKarras": Sampling("dpmpp_sde", "karras"),
    "DDIM": Sampling("ddim", "normal"),
    "PLMS": Sampling("ipndm", "normal"),  # ComfyUI has no PLMS
    "UniPC": Sampling("uni_pc", "normal"),
    UNDEFINED: LEFT_OPEN,
    "LCM": Sampling("lcm", "normal"),
    "DDPM": Sampling("ddpm", "normal"),
    "DEIS": Sampling("deis", "normal"),
    "DPM2MSDE": Sampling("dpmpp_2m_sde", "normal"),
    "DPM2MSDEKarras": Sampling("dpmpp_2m_sde", "karras"),
    "DPM3MSDE": Sampling("dpmpp_3m_sde", "normal"),
    "DPM3MSDEKarras": Sampling("dpmpp_3m_sde", "karras"),
    "DPM3MSDEExponential": Sampling("dpmpp_3m_sde", "exponential"),
}
SCHEDULER_NAMES: Mapping[str, str] = {name.lower(): name for name in SAMPLINGS}
NAMES_OF_SAMPLINGS: Mapping[Sampling, str] = {sampling: name for name, sampling in SAMPLINGS.items()}


# The words of v2's engine sdcpp, each with that one of ComfyUI's own samplers and noise schedules which comes nearest.
SAMPLE_METHODS: Mapping[str, str] = {
    "euler": "euler",
    "euler_a": "euler_ancestral",
    "heun": "heun",
    "dpm2": "dpm_2",
    "dpm++2s_a": "dpmpp_2s_ancestral",
    "dpm++2m": "dpmpp_2m",
    "dpm++2mv2": "dpmpp_2m",
    "ipndm": "ipndm",
    "ipndm_v": "ipndm_v",
    "ddim_trailing": "ddim",
    "lcm": "lcm",
    "res_multistep": "res_multistep",
    "res_2s": "res_multistep",
    "tcd": "lcm",
    "er_sde": "er_sde",
}
SCHEDULES: Mapping[str, str] = {
    "simple": "simple",
    "discrete": "normal",
    "karras": "karras",
    "exponential": "exponential",
    "ays": "karras",
    "bong_tangent": "beta",
    "gits": "beta",
    "sgm_uniform": "sgm_uniform",
    "smoothstep": "beta",
    "kl_optimal": "kl_optimal",
    "lcm": "sgm_uniform",
}


def sdcpp_sampling(sample_method: str, schedule: str) -> Sampling:
    """Return ComfyUI's pair for words of the engine sdcpp; one that is newer than this table is left open."""
    return Sampling(SAMPLE_METHODS.get(sample_method, ""), SCHEDULES.get(schedule, ""))


def scheduler_name(text: str) -> str | None:
    """Return the official spelling of a scheduler name in any case (v2 writes camelCase), or None."""
    return SCHEDULER_NAMES.get(text.lower())
