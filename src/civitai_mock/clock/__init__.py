"""Clocks, and sources of ids and seeds: some are of the machine, a test or a namespace controls the others."""

from civitai_mock.clock.ids import RandomIds, SeededIds
from civitai_mock.clock.namespace_clock import NamespaceClock
from civitai_mock.clock.system import SystemClock
from civitai_mock.clock.virtual import VirtualClock

__all__ = ["NamespaceClock", "RandomIds", "SeededIds", "SystemClock", "VirtualClock"]
