"""Background work: claim jobs, run each through its stages, and deliver their events to webhooks."""
