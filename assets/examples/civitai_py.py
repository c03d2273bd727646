import os

os.environ.setdefault("CIVITAI_API_TOKEN", "any")  # the package refuses to be imported without one
import civitai

civitai.civitai.base_path = "http://127.0.0.1:3000/compat/sdk-2024"
print(
    civitai.image.create(
        {
            "model": "urn:air:sd1:checkpoint:civitai:4384@128713",
            "params": {"prompt": "a fox", "width": 512, "height": 512},
        },
        wait=True,
    )
)
