"""The moment at which tests with a clock of their own begin."""

from datetime import UTC, datetime

START = datetime(2025, 9, 6, 18, 18, 16, 167943, tzinfo=UTC)
