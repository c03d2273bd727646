"""Add the `controlNets` of a job to its graph: preprocessors, loaders, and the nodes that apply them."""

from collections.abc import Mapping, Sequence
from itertools import product

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.dotnet import plain_number
from civitai_mock.generation.control_nets.preprocessors import ALL_RECIPES, Recipe, title_of
from civitai_mock.generation.control_nets.resources import control_net_role
from civitai_mock.generation.control_nets.spec import ControlNetSpec
from civitai_mock.generation.graph import Link, Value
from civitai_mock.generation.graph_builder import GraphBuilder, load_image
from civitai_mock.generation.work import FileRole, InputImage

RESOLUTION_UNIT = 64  # of the preprocessors, in pixels


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlNet:
    """Is a ControlNet in a graph.

    `image` is the name that the graph reads its image under; `start` and `end` are fractions of all steps.
    """

    image: str
    preprocessor: str
    recipe: Recipe
    file_name: str
    weight: float
    start: float
    end: float

    @property
    def inputs(self) -> Mapping[str, Value]:
        """Return the inputs that are not links."""
        return {
            "strength": plain_number(self.weight),
            "start_percent": plain_number(self.start),
            "end_percent": plain_number(self.end),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlNets:
    """Applies ControlNets one after the other; `resolution` is the shorter side of what preprocessors work on."""

    control_nets: Sequence[ControlNet]
    resolution: int

    def apply(self, builder: GraphBuilder) -> None:
        """Add the nodes of all ControlNets; what several have in common is done once."""
        for net in self.control_nets:
            image = load_image(builder, net.image)
            file = builder.add_once("ControlNetLoader", {"control_net_name": net.file_name})
            _insert(builder, {**net.inputs, "control_net": file, "image": self._preprocessed(builder, net, image)})

    def _preprocessed(self, builder: GraphBuilder, net: ControlNet, image: Link) -> Link:
        for step in net.recipe:
            resolution = {"resolution": self.resolution} if step.has_resolution else {}
            inputs = {**step.inputs, **resolution, step.image_input: image}
            image = builder.add_once(step.class_type, inputs, title=title_of(net.preprocessor, step))
        return image


def _insert(builder: GraphBuilder, inputs: Mapping[str, Value]) -> None:
    """Put in the node that applies a ControlNet.

    It wants two conditionings; an ecosystem without a negative one uses only the first that comes out.
    """
    inputs = {**inputs, "vae": builder.source("vae")}
    if builder.has("negative"):
        both = {"positive": "positive", "negative": "negative"}
        builder.insert("ControlNetApplyAdvanced", inputs, behind=both)
    else:
        alone = {**inputs, "negative": builder.source("positive")}
        builder.insert("ControlNetApplyAdvanced", alone, behind={"positive": "positive"})


@dataclass(frozen=True, slots=True, kw_only=True)
class JobControlNets:
    """Turns the ControlNets of a job into nodes, images and roles.

    `files` has the names of the job's resources by AIR; `shorter_side` is that of the images that are made.
    """

    control_nets: Sequence[ControlNetSpec]
    job_id: str
    ecosystem: str
    files: Mapping[str, str]
    shorter_side: int

    @property
    def variants(self) -> list[list[ControlNets]]:
        """Return one variant for each choice of node packs, the best known first; without ControlNets, an empty one."""
        if not self.control_nets:
            return [[]]
        names = tuple(dict.fromkeys(net.preprocessor for net in self.control_nets))
        choices = product(*(ALL_RECIPES[name] for name in names))
        return [[self._control_nets(dict(zip(names, recipes, strict=True)))] for recipes in choices]

    @property
    def images(self) -> tuple[InputImage, ...]:
        """Return each image once, however many ControlNets read it."""
        return tuple(
            InputImage(name=name, blob_key=blob_key, url=url) for (blob_key, url), name in self._image_names.items()
        )

    @property
    def roles(self) -> tuple[FileRole, ...]:
        roles = (self._role(net) for net in self.control_nets if net.model is None)
        return tuple(dict.fromkeys(roles))

    @property
    def _image_names(self) -> Mapping[tuple[str | None, str | None], str]:
        sources = dict.fromkeys((net.blob_key, net.image_url) for net in self.control_nets)
        return {source: f"{self.job_id}_control_{number}" for number, source in enumerate(sources)}

    def _control_nets(self, recipes: Mapping[str, Recipe]) -> ControlNets:
        control_nets = [self._control_net(net, recipes[net.preprocessor]) for net in self.control_nets]
        return ControlNets(control_nets=control_nets, resolution=self._resolution)

    def _control_net(self, net: ControlNetSpec, recipe: Recipe) -> ControlNet:
        return ControlNet(
            image=self._image_names[net.blob_key, net.image_url],
            preprocessor=net.preprocessor,
            recipe=recipe,
            file_name=self._role(net).name if net.model is None else self.files[net.model],
            weight=net.weight,
            start=net.start_step,
            end=net.end_step,
        )

    def _role(self, net: ControlNetSpec) -> FileRole:
        return control_net_role(ecosystem=self.ecosystem, preprocessor=net.preprocessor)

    @property
    def _resolution(self) -> int:
        """Return a resolution as fine as that of the image that is drawn."""
        return -(-self.shorter_side // RESOLUTION_UNIT) * RESOLUTION_UNIT
