"""A stand-in as the command line describes it."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from civitai_mock.comfyui_standin.arguments import add_arguments
from civitai_mock.comfyui_standin.options import Cache, CacheKind, Directories, Durations, Packs, StandinOptions
from civitai_mock.comfyui_standin.state.models import read_extra_paths
from civitai_mock.comfyui_standin.validation.node_packs import read_object_info
from civitai_mock.domain.errors import InvalidRequestError, MockError

Read = TypeVar("Read")


class LaunchError(MockError):
    """A file or folder that the command line names cannot be used."""


def options_of(argv: Sequence[str], *, durations: Durations) -> StandinOptions:
    """Raise `LaunchError` for files that cannot be read, and folders that cannot be made."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    arguments = parser.parse_args(argv)
    return StandinOptions(
        durations=durations,
        previews=arguments.preview_method != "none",
        preview_side=arguments.preview_size,
        metadata=not arguments.disable_metadata,
        multi_user=arguments.multi_user,
        cache=_cache_of(arguments),
        upload_mebibytes=arguments.max_upload_size,
        cors_origin=arguments.enable_cors_header,
        compress=arguments.enable_compress_response_body,
        directories=_made(_directories_of(arguments)),
        argv=("main.py", *argv),
        on_cpu=arguments.cpu,
        version=arguments.comfyui_version,
        packs=_packs_of(arguments),
        object_info=tuple(_read("--object-info", path, read_object_info) for path in arguments.object_info),
    )


def _cache_of(arguments: argparse.Namespace) -> Cache:
    if arguments.cache_none:
        return Cache(kind=CacheKind.NONE)
    if arguments.cache_lru > 0:
        return Cache(kind=CacheKind.LRU, size=arguments.cache_lru)
    return Cache()


def _packs_of(arguments: argparse.Namespace) -> Packs:
    return Packs(
        api_nodes=not arguments.disable_api_nodes,
        custom_nodes=not arguments.disable_all_custom_nodes,
        whitelist=frozenset(arguments.whitelist_custom_nodes),
    )


def _directories_of(arguments: argparse.Namespace) -> Directories:
    base, temp = _path(arguments.base_directory), _path(arguments.temp_directory or arguments.base_directory)
    if base is not None and not base.is_dir():
        raise LaunchError(f"--base-directory {base} is not a folder.")
    configs = arguments.extra_model_paths_config or []
    return Directories(
        base=base,
        output=_path(arguments.output_directory) or (base / "output" if base else None),
        input=_path(arguments.input_directory) or (base / "input" if base else None),
        temp=temp / "temp" if temp else None,
        extra_models=tuple(
            folder for path in configs for folder in _read("--extra-model-paths-config", path, read_extra_paths)
        ),
    )


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _made(directories: Directories) -> Directories:
    for folder, path in directories.files.items():
        try:
            path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise LaunchError(f"the {folder} folder {path} cannot be made: {error.strerror or error}") from error
    return directories


def _read(option: str, path: str, read: Callable[[Path], Read]) -> Read:
    try:
        return read(Path(path))
    except OSError as error:
        raise LaunchError(f"{option} {path} cannot be read: {error.strerror or error}") from error
    except InvalidRequestError as error:
        raise LaunchError(f"{option}: {error.message}") from error
