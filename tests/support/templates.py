"""Templates of every `$type`, each of which is accepted."""

from civitai_mock.domain.json_types import Json, JsonObject
from tests.support.comfy_graphs import text_to_image

CHECKPOINT = "urn:air:sdxl:checkpoint:civitai:101055@128078"
MEDIA_URL = "https://images.example/fox.png"
KEY = "AC146E9943652A7D6359696406CAFFBF3796C4AD81CD3711502EEBA988663395"
JOB_ID = "37d9d863-7928-41c1-bc83-626c00995137"

# The official template name is the first of the pair, the template as a client sends it the second.
TEMPLATES: dict[str, tuple[str, JsonObject]] = {
    "textToImage": ("TextToImageJobTemplate", {"model": CHECKPOINT, "params": {"prompt": "a fox", "seed": 7}}),
    "comfy": ("ComfyJobTemplate", {"params": {"workflow": text_to_image(seed=7)}}),
    "imageResourceTraining": (
        "ImageResourceTrainingJobTemplate",
        {
            "model": CHECKPOINT,
            "trainingData": "https://data.example/images.zip",
            "params": {"maxTrainEpochs": 2, "samplePrompts": ["a fox", "a boat"], "seed": 7},
        },
    ),
    "imageTransform": ("ImageTransformJobTemplate", {"imageUrl": MEDIA_URL, "transformer": "Canny"}),
    "imageEmbedding": ("ImageEmbeddingJobTemplate", {"imageUrl": MEDIA_URL}),
    "mediaTagging": ("MediaTaggingJobTemplate", {"modelId": 3, "mediaUrl": MEDIA_URL}),
    "mediaCaptioning": ("MediaCaptioningJobTemplate", {"mediaUrl": MEDIA_URL}),
    "wdTagging": ("WDTaggingJobTemplate", {"model": "wd14-vit", "mediaUrl": MEDIA_URL, "threshold": 0.5}),
    "movieRating": ("MovieRatingJobTemplate", {"mediaUrl": MEDIA_URL}),
    "prepareModel": ("PrepareModelJobTemplate", {"baseModel": "SDXL", "model": CHECKPOINT, "action": "Pin"}),
    "copyAsset": (
        "CopyAssetTemplate",
        {"jobId": JOB_ID, "assetName": "epoch-1.safetensors", "destinationUri": "https://files.example/1"},
    ),
    "clearAssets": ("ClearAssetTemplate", {"jobId": JOB_ID}),
    "blobUpload": ("UploadBlobTemplate", {"key": KEY, "duration": "1.00:00:00", "replace": True}),
    "blobGet": ("GetBlobTemplate", {"key": KEY, "duration": "2.00:00:00"}),
    "blobPin": ("PinBlobTemplate", {"key": KEY}),
    "blobUnpin": ("UnpinBlobTemplate", {"key": KEY}),
    "blobDelete": ("DeleteBlobTemplate", {"key": KEY}),
}


def template(name: str, **changes: Json) -> JsonObject:
    """Return the template of a `$type`; a member that is None is left out."""
    members: JsonObject = {"$type": name, **TEMPLATES[name][1], **changes}
    return {member: value for member, value in members.items() if value is not None}
