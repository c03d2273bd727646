"""Preprocessors that ControlNets can name, as recipes of nodes."""

from collections.abc import Mapping
from dataclasses import field
from typing import TypeAlias

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.json_types import Json


@dataclass(frozen=True, slots=True, kw_only=True)
class PreprocessorStep:
    """Is a node that makes an image of an image; where it `has_resolution`, it works on that many pixels a side.

    `pack` is the node pack that it comes from.
    """

    class_type: str
    pack: str = ""
    inputs: Mapping[str, Json] = field(default_factory=dict)
    image_input: str = "image"
    has_resolution: bool = False


# A recipe is the steps of one preprocessor, each fed by the one before.
Recipe: TypeAlias = tuple[PreprocessorStep, ...]

CONTROLNET_AUX = "comfyui_controlnet_aux"
CANNY = PreprocessorStep(class_type="Canny", inputs={"low_threshold": 0.4, "high_threshold": 0.8})
ZOE = PreprocessorStep(class_type="Zoe-DepthMapPreprocessor", pack=CONTROLNET_AUX, has_resolution=True)
PIDINET = PreprocessorStep(
    class_type="PiDiNetPreprocessor", pack=CONTROLNET_AUX, inputs={"safe": "enable"}, has_resolution=True
)
# A ControlNet cannot read transparency, so the background becomes black.
REMBG_OF_WAS = PreprocessorStep(
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
    image_input="images",
)
# This one gives a cut-out with an alpha channel, under which the background is black.
REMBG = PreprocessorStep(class_type="Image Remove Background (rembg)", pack="rembg-comfyui-node")
WITHOUT_ALPHA = PreprocessorStep(class_type="SplitImageWithAlpha")


def title_of(preprocessor: str, step: PreprocessorStep) -> str:
    """Return a title that says what a node is for and where it comes from, for whoever reads that a server lacks it."""
    return f"preprocessor {preprocessor}, of {step.pack}" if step.pack else f"preprocessor {preprocessor}"


# The recipes by the names that v1 has; where several node packs can do it, the best known comes first.
RECIPES: Mapping[str, tuple[Recipe, ...]] = {
    "Canny": ((CANNY,),),
    "DepthZoe": ((ZOE,),),
    "SoftedgePidinet": ((PIDINET,),),
    "Rembg": ((REMBG_OF_WAS,), (REMBG, WITHOUT_ALPHA)),
}


def _aux(class_type: str) -> tuple[Recipe, ...]:
    return ((PreprocessorStep(class_type=class_type, pack=CONTROLNET_AUX, has_resolution=True),),)


# What v2 has besides. Their nodes have defaults for all that is left out here.
NEWER_RECIPES: Mapping[str, tuple[Recipe, ...]] = {
    "Mlsd": _aux("M-LSDPreprocessor"),
    "DepthAnything": _aux("DepthAnythingPreprocessor"),
    "DepthAnythingV2": _aux("DepthAnythingV2Preprocessor"),
    "ZoeDepthAnything": _aux("Zoe_DepthAnythingPreprocessor"),
    "ZoeDepth": ((ZOE,),),
    "MidasDepth": _aux("MiDaS-DepthMapPreprocessor"),
    "LeresDepth": _aux("LeReS-DepthMapPreprocessor"),
    "Metric3dDepth": _aux("Metric3D-DepthMapPreprocessor"),
    "Hed": _aux("HEDPreprocessor"),
    "Teed": _aux("TEEDPreprocessor"),
    "MidasNormal": _aux("MiDaS-NormalMapPreprocessor"),
    "BaeNormal": _aux("BAE-NormalMapPreprocessor"),
    "DsineNormal": _aux("DSINE-NormalMapPreprocessor"),
    "Metric3dNormal": _aux("Metric3D-NormalMapPreprocessor"),
    "LineartRealistic": _aux("LineArtPreprocessor"),
    "LineartStandard": _aux("LineartStandardPreprocessor"),
    "LineartAnime": _aux("AnimeLineArtPreprocessor"),
    "LineartManga": _aux("Manga2Anime_LineArt_Preprocessor"),
    "Anyline": _aux("AnyLineArtPreprocessor_aux"),
    "Scribble": _aux("ScribblePreprocessor"),
    "ScribbleXdog": _aux("Scribble_XDoG_Preprocessor"),
    "ScribblePidinet": _aux("Scribble_PiDiNet_Preprocessor"),
    "FakeScribble": _aux("FakeScribblePreprocessor"),
    "Openpose": _aux("OpenposePreprocessor"),
    "Dwpose": _aux("DWPreprocessor"),
    "OneformerCoco": _aux("OneFormer-COCO-SemSegPreprocessor"),
    "OneformerAde20k": _aux("OneFormer-ADE20K-SemSegPreprocessor"),
    "Uniformer": _aux("UniFormer-SemSegPreprocessor"),
    "Shuffle": _aux("ShufflePreprocessor"),
    "Tile": _aux("TilePreprocessor"),
    "Gray": _aux("ImageIntensityDetector"),
    "Inpaint": ((),),
}
ALL_RECIPES: Mapping[str, tuple[Recipe, ...]] = {**RECIPES, **NEWER_RECIPES}
