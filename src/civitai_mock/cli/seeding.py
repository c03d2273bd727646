"""Add the built-in resources to the store."""

import argparse
import sys

from civitai_mock.bootstrap.stores import open_stores, read_catalogue
from civitai_mock.cli.running import run_until_done
from civitai_mock.cli.stop import Stop
from civitai_mock.services.resources import ManageResources
from civitai_mock.settings import Settings


def seed(settings: Settings, _: argparse.Namespace, __: Stop) -> int:
    added, known = run_until_done(_load_catalogue(settings))
    sys.stdout.write(f"{added} resources added, {known} were there already\n")
    return 0


async def _load_catalogue(settings: Settings) -> tuple[int, int]:
    catalogue = read_catalogue()
    async with open_stores(settings) as stores:
        added = await ManageResources(resources=stores.resources).seed(catalogue)
    return added, len(catalogue) - added
