"""How fast, beside a bare FastAPI route measured in the same run: `python -m tests.bench`."""
