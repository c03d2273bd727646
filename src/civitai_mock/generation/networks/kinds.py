"""Kinds of networks: what each does to a graph and to prompt texts, and the tags in a prompt that ask for it."""

import math
from collections.abc import Callable, Mapping, Sequence

from civitai_mock.domain.dataclass import dataclass
from civitai_mock.domain.dotnet import plain_number
from civitai_mock.generation.graph_builder import GraphBuilder
from civitai_mock.generation.prompts.a1111 import TAG, IgnoredTag
from civitai_mock.generation.prompts.texts import PromptTexts, embedding_text

MAX_STRENGTH = 100  # of ComfyUI's LoraLoader
MODEL_STRENGTH, TEXT_STRENGTH = "unet", "te"  # arguments of tags
MOST_TAGS = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Network:
    """Is a network of a job: `trigger_word` is that of the request, `trained_words` are those of the resource.

    `text_strength` is the strength on the text encoder, where that differs from the one on the model.
    """

    file_name: str
    strength: float
    trigger_word: str | None
    trained_words: tuple[str, ...]
    text_strength: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkKind:
    """Describes a kind of network; `name` is the official AssetType where there is one.

    `write` changes the prompt texts, `load` the graph; it returns the id of the node that it puts between others, if
    there is one. An embedding has nothing to load: the text encoder that reads its name does that.
    """

    name: str
    write: Callable[[PromptTexts, Network], PromptTexts]
    load: Callable[[GraphBuilder, Network], str | None] | None
    max_strength: float = MAX_STRENGTH
    allows_white_space: bool = True
    is_single: bool = False

    def fault(self, *, file_name: str, strength: float) -> str | None:
        """Return why ComfyUI could not use such a network, or would silently leave it out; None if it can."""
        if abs(strength) > self.max_strength:
            most = f"{self.max_strength:g}"
            return f"The strength of a {self.name} must be from -{most} to {most}; found {plain_number(strength)}."
        if not self.allows_white_space and "".join(file_name.split()) != file_name:
            return f"ComfyUI cannot find the file '{file_name}' of a {self.name}: its name has white space."
        return None


def _write_trigger(texts: PromptTexts, network: Network) -> PromptTexts:
    return texts.with_trigger(network.trigger_word) if network.trigger_word else texts


def _write_embedding(texts: PromptTexts, network: Network) -> PromptTexts:
    words = [network.trigger_word] if network.trigger_word else network.trained_words
    embedding = embedding_text(network.file_name, network.strength)
    return texts.with_embedding(embedding, [word for word in words if word.strip()])


def _load_lora(builder: GraphBuilder, network: Network) -> str:
    strength = plain_number(network.strength)
    text_strength = strength if network.text_strength is None else plain_number(network.text_strength)
    return builder.insert(
        "LoraLoader",
        {"lora_name": network.file_name, "strength_model": strength, "strength_clip": text_strength},
        behind={"model": "model", "clip": "clip"},
    )


def _load_hypernetwork(builder: GraphBuilder, network: Network) -> str:
    return builder.insert(
        "HypernetworkLoader",
        {"hypernetwork_name": network.file_name, "strength": plain_number(network.strength)},
        behind={"model": "model"},
    )


def _load_vae(builder: GraphBuilder, network: Network) -> None:
    """Fill the slot of a skeleton whose VAE is a file of its own, or else replace the VAE; it has no strength."""
    if not builder.fill("vae", network.file_name):
        builder.replace_source("VAELoader", {"vae_name": network.file_name}, source="vae")


def _lora(name: str) -> NetworkKind:
    return NetworkKind(name=name, write=_write_trigger, load=_load_lora)


EMBEDDING = NetworkKind(name="TextualInversion", write=_write_embedding, load=None, allows_white_space=False)
HYPERNETWORK = NetworkKind(name="Hypernetwork", write=_write_trigger, load=_load_hypernetwork, max_strength=10)
VAE = NetworkKind(name="Vae", write=_write_trigger, load=_load_vae, is_single=True)

# The keys are types of AIRs and types that a request may give, in lower case.
KINDS: Mapping[str, NetworkKind] = {
    "lora": _lora("Lora"),
    "lycoris": _lora("Lycoris"),
    "locon": _lora("LoCon"),
    "dora": _lora("DoRA"),
    "embedding": EMBEDDING,
    "textualinversion": EMBEDDING,
    "vae": VAE,
    "hypernet": HYPERNETWORK,
    "hypernetwork": HYPERNETWORK,
}
KIND_NAMES = tuple(dict.fromkeys(kind.name for kind in KINDS.values()))


def find_kind(name: str) -> NetworkKind | None:
    """Return the kind of that name, in any case."""
    return KINDS.get(name.lower())


KINDS_OF_TAGS = {"lora": KINDS["lora"], "lyco": KINDS["lycoris"], "hypernet": KINDS["hypernet"]}


@dataclass(frozen=True, slots=True, kw_only=True)
class AppliedTag:
    """Is a tag that loads a network."""

    tag: str
    kind: NetworkKind
    network: Network


@dataclass(frozen=True, slots=True, kw_only=True)
class Tags:
    """Holds the tags of one text in their order; one that stands there twice is applied twice, but ignored once."""

    applied: Sequence[AppliedTag]
    ignored: Sequence[IgnoredTag]


def read_tags(text: str) -> Tags:
    """Find the first `MOST_TAGS` tags that can be applied; all others are ignored."""
    applied: list[AppliedTag] = []
    ignored: dict[str, IgnoredTag] = {}
    for tag in TAG.findall(text):
        try:
            found = _applied(tag, room=MOST_TAGS - len(applied))
        except ValueError as error:
            ignored.setdefault(tag, IgnoredTag(tag=tag, reason=str(error)))
        else:
            applied.append(found)
    return Tags(applied=applied, ignored=tuple(ignored.values()))


def _applied(tag: str, *, room: int) -> AppliedTag:
    """Read one tag; raise ValueError with the reason if it cannot be applied.

    Arguments for extensions that ComfyUI lacks are left out.
    """
    kind_name, name, *arguments = (part.strip() for part in tag[1:-1].split(":"))
    if not name:
        raise ValueError("It does not name a file.")
    kind = KINDS_OF_TAGS[kind_name.lower()]
    model, text = _strengths(arguments)
    for strength in (model, text):
        if message := kind.fault(file_name=name, strength=strength):
            raise ValueError(message)
    if room <= 0:
        raise ValueError(f"Only the first {MOST_TAGS} networks of a prompt are applied.")
    network = Network(file_name=name, strength=model, text_strength=text, trigger_word=None, trained_words=())
    return AppliedTag(tag=tag, kind=kind, network=network)


def _strengths(arguments: Sequence[str]) -> tuple[float, float]:
    """Return the strengths on model and text encoder, as A1111 reads them: the first one is for the text encoder.

    It is for both where there is no other.
    """
    named = dict(pair for argument in arguments if len(pair := argument.lower().split("=", 1)) == 2)
    placed = [argument for argument in arguments if "=" not in argument]
    text = named.get(TEXT_STRENGTH) or (placed[0] if placed else "1")
    model = named.get(MODEL_STRENGTH) or (placed[1] if len(placed) > 1 else text)
    return _number(model), _number(text)


def _number(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise ValueError(f"'{text}' is not a number.")
    return number
