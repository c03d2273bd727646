"""What the `controlNets` of a job come to: nodes, pictures to load, and files that a server may choose."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from civitai_mock.generation.control_nets.files import control_net_role
from civitai_mock.generation.control_nets.params import CompleteControlNet
from civitai_mock.generation.features.control_net import ControlNet, ControlNets
from civitai_mock.generation.features.preprocessors import RECIPES, Recipe
from civitai_mock.generation.work import FileRole, InputImage

RESOLUTION_UNIT = 64  # preprocessors take no other sizes


@dataclass(frozen=True, slots=True, kw_only=True)
class JobControlNets:
    """`files` has the names of the job's resources by AIR; `shorter_side` is that of the pictures that are made."""

    control_nets: Sequence[CompleteControlNet]
    job_id: str
    ecosystem: str
    files: Mapping[str, str]
    shorter_side: int

    @property
    def variants(self) -> list[list[ControlNets]]:
        """Ways to do it with different node packs, the best known first; without ControlNets, one that does nothing."""
        if not self.control_nets:
            return [[]]
        names = tuple(dict.fromkeys(net.preprocessor for net in self.control_nets))
        choices = product(*(RECIPES[name] for name in names))
        return [[self._made_by(dict(zip(names, recipes, strict=True)))] for recipes in choices]

    @property
    def images(self) -> tuple[InputImage, ...]:
        """Each once, however many read it."""
        return tuple(
            InputImage(name=name, blob_key=blob_key, url=url) for (blob_key, url), name in self._picture_names.items()
        )

    @property
    def roles(self) -> tuple[FileRole, ...]:
        roles = (self._role(net) for net in self.control_nets if net.model is None)
        return tuple(dict.fromkeys(roles))

    @property
    def _picture_names(self) -> Mapping[tuple[str | None, str | None], str]:
        sources = dict.fromkeys((net.blob_key, net.image_url) for net in self.control_nets)
        return {source: f"{self.job_id}_control_{number}" for number, source in enumerate(sources)}

    def _made_by(self, recipes: Mapping[str, Recipe]) -> ControlNets:
        control_nets = [self._control_net(net, recipes[net.preprocessor]) for net in self.control_nets]
        return ControlNets(control_nets=control_nets, resolution=self._resolution)

    def _control_net(self, net: CompleteControlNet, recipe: Recipe) -> ControlNet:
        return ControlNet(
            picture=self._picture_names[net.blob_key, net.image_url],
            preprocessor=net.preprocessor,
            recipe=recipe,
            file_name=self._role(net).name if net.model is None else self.files[net.model],
            weight=net.weight,
            start=net.start_step,
            end=net.end_step,
        )

    def _role(self, net: CompleteControlNet) -> FileRole:
        return control_net_role(ecosystem=self.ecosystem, preprocessor=net.preprocessor)

    @property
    def _resolution(self) -> int:
        """As fine as the picture that is drawn."""
        return -(-self.shorter_side // RESOLUTION_UNIT) * RESOLUTION_UNIT
