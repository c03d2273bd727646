"""A local stand-in for Civitai's generation orchestrator."""
