"""Job types that make sounds: speech, music, and what is composed of sounds and videos."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import field
from typing import ClassVar

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.generation.file_recipes import SIDE, FileRecipe, SoundRecipe, VideoRecipe
from civitai_mock.generation.graph_reader.samplers import SamplerPass
from civitai_mock.generation.job_types.draft import CompleteSpec, PlannedFile
from civitai_mock.generation.placeholder_results import seeded_random
from civitai_mock.generation.work import MediaWork, is_web_url

SPEECH_TYPE, MUSIC_TYPE = "audio/ogg", "audio/mpeg"
CHARACTERS_OF_A_SECOND = 15  # as people speak
LEAST_SECONDS, MOST_SECONDS = 1.0, 600.0
COVER_FPS = 2.0  # as nothing much moves on a cover


@dataclass(frozen=True, slots=True, kw_only=True)
class OneFileSpec(CompleteSpec):
    """Makes the file of one recipe."""

    seconds_of_work: ClassVar[float] = 3.0

    @abstractmethod
    def recipe(self) -> FileRecipe:
        """Return how the file is made."""

    def files(self) -> tuple[PlannedFile, ...]:
        recipe = self.recipe()
        return (PlannedFile(content_type=recipe.content_type, facts=recipe.facts),)

    def own_work(self) -> MediaWork:
        return MediaWork(files=(self.recipe(),), seconds=self.seconds_of_work)


@dataclass(frozen=True, slots=True, kw_only=True)
class SpeechSpec(OneFileSpec):
    """Makes a melody as long as it would take to speak the text, another one for each speaker."""

    job_type: ClassVar[str] = "Speech"
    cost: ClassVar[float] = 1

    text: str
    speaker: str = ""

    def recipe(self) -> SoundRecipe:
        seconds = min(max(len(self.text) / CHARACTERS_OF_A_SECOND, LEAST_SECONDS), MOST_SECONDS)
        seed = seeded_random(self.speaker, self.text).getrandbits(31)
        return SoundRecipe(content_type=SPEECH_TYPE, seconds=round(seconds, 2), seed=seed)


@dataclass(frozen=True, slots=True, kw_only=True)
class MusicSpec(OneFileSpec):
    """Makes a melody of a length; with the URL of a `cover` it is heard in a video, which shows another image.

    The AIRs of `models` are by their places in the request.
    """

    job_type: ClassVar[str] = "Music"
    cost: ClassVar[float] = 7

    description: str
    seconds: float
    seed: int
    cover: str | None = None
    models: Mapping[str, str] = field(default_factory=dict)

    def references(self) -> Mapping[str, str]:
        return self.models

    def image_urls(self) -> Mapping[str, str]:
        return {"cover": self.cover} if self.cover is not None and is_web_url(self.cover) else {}

    def recipe(self) -> FileRecipe:
        if self.cover is None:
            return SoundRecipe(content_type=MUSIC_TYPE, seconds=self.seconds, seed=self.seed)
        sampled = SamplerPass(seed=self.seed, prompt_text=self.description)
        return VideoRecipe(
            sampled=sampled, width=SIDE, height=SIDE, seconds=self.seconds, fps=COVER_FPS, has_sound=True
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class CompositionSpec(OneFileSpec):
    """Makes a sound, or a video if it has a `width` and a `height`, of the length of all its elements.

    The elements, by their places in the request, are not fetched: how long each is cannot be known.
    """

    job_type: ClassVar[str] = "Composition"
    cost: ClassVar[float] = 10

    elements: Mapping[str, str] = field(default_factory=dict)
    seconds: float
    content_type: str
    width: int = 0
    height: int = 0
    fps: float = 0

    def image_urls(self) -> Mapping[str, str]:
        return {place: url for place, url in self.elements.items() if is_web_url(url)}

    def recipe(self) -> FileRecipe:
        if not self.width:
            return SoundRecipe(content_type=self.content_type, seconds=self.seconds)
        return VideoRecipe(
            sampled=SamplerPass(),
            width=self.width,
            height=self.height,
            seconds=self.seconds,
            fps=self.fps,
            has_sound=True,
        )
