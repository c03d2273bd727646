"""Choose the resources that ControlNets name, and describe the files of a server that can take their place."""

from collections.abc import Mapping, Sequence

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.errors import FieldError
from civitai_mock.domain.job import JobResource
from civitai_mock.domain.resource import Resource
from civitai_mock.generation.control_nets.spec import ControlNetDraft, ControlNetSpec
from civitai_mock.generation.ecosystems import find_ecosystem
from civitai_mock.generation.ecosystems.ecosystem import Ecosystem
from civitai_mock.generation.work import FileRole

CONTROL_NET = "controlnet"  # the type of an AIR

# What the name of a file has to say to be of use for a preprocessor.
KINDS: Mapping[str, str] = {
    "Canny": r"canny",
    "DepthZoe": r"depth|zoe|midas",
    "SoftedgePidinet": r"soft[-_ ]?edge|(?<![a-z])hed(?![a-z])|pidi",
    # Nothing is trained on cut-outs; a tile ControlNet keeps to the image that it is given.
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
# The first ControlNets do not say what they are for, as there were no other ecosystems.
UNMARKED_SD1 = r"(?:^|/)(?:control|t2i-?adapter)_(?:canny|depth|hed|v1)|sd-controlnet"
# Files that are loaded by nodes of their own, or made for masks and hands.
USELESS = ("lllite", "inpaint", r"(?<![a-z])hand", r"flux1?-(?:canny|depth)-dev")
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
# What the ControlNets are trained on that newer preprocessors are for, and what the names of their files have to say.
NEWER_KINDS: Mapping[str, str] = {
    "mlsd": r"mlsd",
    "normal": r"normal",
    "lineart": r"line[-_ ]?art(?!.*anime)|misto",
    "lineart_anime": r"line[-_ ]?art.*anime|anime.*line[-_ ]?art",
    "scribble": r"scribble|sketch",
    "openpose": r"pose",
    "seg": r"(?<![a-z])seg",
    "shuffle": r"shuffle",
    "recolor": r"re[-_]?colou?r|gr[ae]y|bright|luminance",
    "inpaint": r"inpaint",
}
# For each newer preprocessor another one, or a kind, whose ControlNets it is for.
GUIDES: Mapping[str, str] = {
    **dict.fromkeys(("DepthAnything", "DepthAnythingV2", "ZoeDepthAnything", "ZoeDepth", "MidasDepth"), "DepthZoe"),
    **dict.fromkeys(("LeresDepth", "Metric3dDepth"), "DepthZoe"),
    **dict.fromkeys(("Hed", "Teed"), "SoftedgePidinet"),
    **dict.fromkeys(("MidasNormal", "BaeNormal", "DsineNormal", "Metric3dNormal"), "normal"),
    **dict.fromkeys(("LineartRealistic", "LineartStandard", "Anyline"), "lineart"),
    **dict.fromkeys(("LineartAnime", "LineartManga"), "lineart_anime"),
    **dict.fromkeys(("Scribble", "ScribbleXdog", "ScribblePidinet", "FakeScribble"), "scribble"),
    **dict.fromkeys(("Openpose", "Dwpose"), "openpose"),
    **dict.fromkeys(("OneformerCoco", "OneformerAde20k", "Uniformer"), "seg"),
    "Mlsd": "mlsd",
    "Shuffle": "shuffle",
    "Tile": "Rembg",
    "Gray": "recolor",
    "Inpaint": "inpaint",
}
NEWER_FILES: Mapping[str, str] = {
    "sd1": "control_v11p_sd15_{}.pth",
    "sdxl": "controlnet-{}-sdxl-1.0.safetensors",
    "flux1": "flux-{}-controlnet.safetensors",
}
# A ControlNet for upscaling keeps to its image as one for tiles does, and FLUX.1 has a known one of that kind.
KINDS_OF_ONE: Mapping[tuple[str, str], str] = {("flux1", "Rembg"): r"(?<![a-z])tile|upscaler"}


def control_net_role(*, ecosystem: str, preprocessor: str) -> FileRole:
    """Describe the files for a preprocessor: first whole ControlNets of the ecosystem, last those that do not tell."""
    guide = GUIDES.get(preprocessor, preprocessor)
    kind = KINDS_OF_ONE.get((ecosystem, guide)) or KINDS.get(guide) or NEWER_KINDS[guide]
    mine, useless = MARKS[ecosystem], [word for word in USELESS if guide != word]
    strange = _any(*(marks for name, marks in MARKS.items() if name != ecosystem), OTHERS, *useless)
    unmarked = strange if ecosystem == "sd1" else _any(strange, UNMARKED_SD1)
    return FileRole(
        name=BEST_KNOWN[ecosystem].get(guide) or NEWER_FILES[ecosystem].format(guide),
        patterns=(
            _pattern(_any(kind), _any(mine), without=_any(strange, LESSER)),
            _pattern(_any(kind), _any(mine), without=strange),
            _pattern(_any(kind), without=unmarked),
        ),
    )


def _any(*alternatives: str) -> str:
    return f"(?:{'|'.join(alternatives)})"


def _pattern(*wanted: str, without: str) -> str:
    """Match all of `wanted` in any order, and nothing of `without`."""
    return "^" + "".join(f"(?=.*{words})" for words in wanted) + f"(?!.*{without})"


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenControlNets:
    """Holds the ControlNets of a draft, complete, and each resource that they name once."""

    complete: tuple[ControlNetSpec, ...]
    resources: tuple[JobResource, ...]


NO_CONTROL_NETS = ChosenControlNets(complete=(), resources=())


def control_net_references(control_nets: Sequence[ControlNetDraft]) -> Mapping[str, str]:
    """Return the AIRs as they were sent, by their field."""
    return {_field(index, "model"): net.model for index, net in enumerate(control_nets) if net.model is not None}


def control_net_urls(control_nets: Sequence[ControlNetDraft]) -> Mapping[str, str]:
    """Return the URLs of images that have to be fetched, by their field."""
    return {
        _field(index, "image_url"): net.image_url for index, net in enumerate(control_nets) if net.image_url is not None
    }


def choose_control_nets(
    control_nets: Sequence[ControlNetDraft], resources: Mapping[str, Resource], ecosystem: Ecosystem
) -> ChosenControlNets:
    """Complete the ControlNets in their order; raise `FieldError` for one that cannot be used."""
    if not control_nets:
        return NO_CONTROL_NETS
    used: dict[str, JobResource] = {}
    complete = []
    for index, net in enumerate(control_nets):
        for member, message in net.faults():
            raise FieldError(_field(index, member), message)
        model = None
        if net.model is not None:
            found = _usable(resources[net.model], ecosystem, field=_field(index, "model"))
            model = str(used.setdefault(found.air.key, found).air)
        complete.append(net.complete(model))
    return ChosenControlNets(complete=tuple(complete), resources=tuple(used.values()))


def _field(index: int, member: str) -> str:
    return f"control_nets[{index}].{member}"


def _usable(resource: Resource, ecosystem: Ecosystem, *, field: str) -> JobResource:
    """Return a resource; raise for one of another ecosystem, on which ComfyUI would fail, but only while it draws."""
    air = resource.air
    if (air.stated_type or CONTROL_NET) != CONTROL_NET:
        raise FieldError(field, f"'{air}' is not a ControlNet; expected one of type {CONTROL_NET}.")
    made_for = find_ecosystem(air)
    if made_for is not None and made_for is not ecosystem:
        message = f"'{air}' was made for {made_for.name}; expected one for {ecosystem.name}, as the model."
        raise FieldError(field, message)
    return resource.for_job
