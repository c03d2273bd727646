"""Who goes first: larger is sooner."""

LOW, NORMAL, HIGH = -10, 0, 10
NAMED_PRIORITIES = {"low": LOW, "normal": NORMAL, "high": HIGH}
