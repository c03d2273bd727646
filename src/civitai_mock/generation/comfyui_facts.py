"""Facts of ComfyUI that several parts of this program go by: limits, folders, classes and inputs of its own nodes."""

from collections.abc import Mapping

# The largest values that its nodes take.
LARGEST_SIDE = 16384  # pixels
LARGEST_BATCH = 4096
MOST_STEPS = 10_000
MOST_CLIP_SKIP = 24
MOST_PIXELS_IN_MEMORY = 256_000_000  # of all images of a batch together, on a server of the usual kind
LATENT_CELL = 8  # pixels; latent space knows no smaller cells
USUAL_UPSCALING = 4  # what nearly every upscaler does; only its file would tell

# The folders in which a server keeps what an AIR of a type names.
EMBEDDINGS = "embeddings"
FOLDERS_OF_TYPES: Mapping[str, tuple[str, ...]] = {
    "checkpoint": ("checkpoints", "diffusion_models"),  # a FLUX.1 model is loaded from either
    **dict.fromkeys(("unet", "diffusionmodel"), ("diffusion_models",)),
    **dict.fromkeys(("lora", "locon", "lycoris", "dora"), ("loras",)),
    "vae": ("vae",),
    **dict.fromkeys(("embedding", "textualinversion"), (EMBEDDINGS,)),
    **dict.fromkeys(("hypernet", "hypernetwork"), ("hypernetworks",)),
    "controlnet": ("controlnet",),
    "upscaler": ("upscale_models",),
    **dict.fromkeys(("clip", "text_encoders"), ("text_encoders",)),
    "clipvision": ("clip_vision",),
}

STREAMING_CLASS = "SaveImageWebsocket"  # its images are files nowhere: they come over the socket only
SAMPLER_CLASSES = ("KSampler", "KSamplerAdvanced", "SamplerCustom", "SamplerCustomAdvanced")

# The inputs in which the loaders of base models take their files.
MODEL_INPUTS = ("ckpt_name", "unet_name")
# The inputs in which text encoders take the texts of people.
TEXT_INPUTS = ("text", "text_g", "text_l", "t5xxl", "clip_g", "clip_l")
SEED_INPUTS = ("seed", "noise_seed")

GRAPH_KEYWORD = "prompt"  # under which a graph stands in the files that are made of it
