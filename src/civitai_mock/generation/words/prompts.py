"""Enhanced prompt texts: what the user wrote, with a fixed garnish in the manner that the ecosystem likes."""

from civitai_mock.domain.json_types import JsonObject

# Ecosystems that were trained on tags; all others read sentences.
OF_TAGS = frozenset({"sd1", "sdxl", "pony", "illustrious", "noobai", "anima"})
TAGS = "masterpiece, best quality, highly detailed, soft light, depth of field"
SENTENCE = "The scene is lit by soft light, with fine detail, natural colours and a calm composition."
NEGATIVE_TAGS = "lowres, blurry, bad anatomy, watermark"
RECOMMENDATIONS = ("Name the light and the time of day.", "Say from where the scene is seen.")
SHORT_WORDS = 3  # a prompt text of fewer leaves nearly all to chance
SHORT = {"description": "The prompt is very short: most of the image is left to chance.", "severity": "info"}


def enhanced_prompt(prompt: str, *, ecosystem: str, negative_prompt: str | None = None) -> JsonObject:
    """Return the output of v2's promptEnhancement."""
    words = prompt.strip().rstrip(",. ")
    likes_tags = ecosystem.lower() in OF_TAGS
    enhanced = f"{words}, {TAGS}" if likes_tags else f"{words}. {SENTENCE}"
    answer: JsonObject = {
        "issues": [{**SHORT}] if len(words.split()) < SHORT_WORDS else [],
        "recommendations": [*RECOMMENDATIONS],
        "enhancedPrompt": enhanced,
    }
    if negative_prompt is not None:
        unwanted = negative_prompt.strip().rstrip(",. ")
        answer["enhancedNegativePrompt"] = f"{unwanted}, {NEGATIVE_TAGS}" if unwanted else NEGATIVE_TAGS
    return answer
