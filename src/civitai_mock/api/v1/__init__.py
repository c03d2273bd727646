"""The consumer API of jobs, as the real service speaks it since mid-2025."""
