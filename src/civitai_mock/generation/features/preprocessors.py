"""What v1's ImageTransformers are in ComfyUI: the nodes that make the picture which a ControlNet reads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from civitai_mock.domain.json_types import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """A node that takes a picture and gives one; where it `has_resolution`, that is the shorter side of its work.

    `pack` is what has to be added to ComfyUI for it.
    """

    class_type: str
    pack: str = ""
    inputs: Mapping[str, Json] = field(default_factory=dict)
    picture_input: str = "image"
    has_resolution: bool = False


# The steps of one preprocessor, each fed by the one before.
Recipe: TypeAlias = tuple[Step, ...]

CONTROLNET_AUX = "comfyui_controlnet_aux"
CANNY = Step(class_type="Canny", inputs={"low_threshold": 0.4, "high_threshold": 0.8})
ZOE = Step(class_type="Zoe-DepthMapPreprocessor", pack=CONTROLNET_AUX, has_resolution=True)
PIDINET = Step(class_type="PiDiNetPreprocessor", pack=CONTROLNET_AUX, inputs={"safe": "enable"}, has_resolution=True)
# A ControlNet cannot read transparency, so the background becomes black.
REMBG_OF_WAS = Step(
    class_type="Image Rembg (Remove Background)",
    pack="WAS Node Suite",
    inputs={
        "transparency": False,
        "model": "u2net",
        "post_processing": False,
        "only_mask": False,
        "alpha_matting": False,
        "alpha_matting_foreground_threshold": 240,
        "alpha_matting_background_threshold": 10,
        "alpha_matting_erode_size": 10,
        "background_color": "black",
    },
    picture_input="images",
)
# This one gives a cut-out with an alpha channel; what is cut out is black under it.
REMBG = Step(class_type="Image Remove Background (rembg)", pack="rembg-comfyui-node")
WITHOUT_ALPHA = Step(class_type="SplitImageWithAlpha")


def title_of(preprocessor: str, step: Step) -> str:
    """Whoever is told that a server lacks the node has to know what it is for, and where it comes from."""
    return f"preprocessor {preprocessor}, of {step.pack}" if step.pack else f"preprocessor {preprocessor}"


# By the official name; where several node packs can do it, the best known first.
RECIPES: Mapping[str, tuple[Recipe, ...]] = {
    "Canny": ((CANNY,),),
    "DepthZoe": ((ZOE,),),
    "SoftedgePidinet": ((PIDINET,),),
    "Rembg": ((REMBG_OF_WAS,), (REMBG, WITHOUT_ALPHA)),
}
SPELLINGS: Mapping[str, str] = {name.lower(): name for name in RECIPES}
