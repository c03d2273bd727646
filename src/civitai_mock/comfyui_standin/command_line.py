"""Reading the command line of a stand-in, with the files and folders that it names, into its options."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

from civitai_mock.comfyui_standin.arguments import add_arguments
from civitai_mock.comfyui_standin.options import (
    CacheKind,
    CacheOptions,
    Directories,
    Durations,
    NodePackOptions,
    StandinOptions,
)
from civitai_mock.comfyui_standin.state.models import read_extra_paths
from civitai_mock.comfyui_standin.validation.node_packs import read_object_info
from civitai_mock.domain.errors import InvalidRequestError, MockError

Content = TypeVar("Content")


class CommandLineError(MockError):
    """A file or folder that the command line names cannot be used."""


def read_command_line(argv: Sequence[str], *, durations: Durations) -> StandinOptions:
    """Return the options; raise `CommandLineError` for unreadable files, and folders that cannot be created."""
    parser = argparse.ArgumentParser()
    add_arguments(parser)
    arguments = parser.parse_args(argv)
    return StandinOptions(
        durations=durations,
        previews=arguments.preview_method != "none",
        preview_side=arguments.preview_size,
        metadata=not arguments.disable_metadata,
        multi_user=arguments.multi_user,
        cache=_cache_options(arguments),
        upload_mebibytes=arguments.max_upload_size,
        cors_origin=arguments.enable_cors_header,
        compress=arguments.enable_compress_response_body,
        directories=_directories(arguments),
        argv=("main.py", *argv),
        on_cpu=arguments.cpu,
        version=arguments.comfyui_version,
        packs=NodePackOptions(
            api_nodes=not arguments.disable_api_nodes,
            custom_nodes=not arguments.disable_all_custom_nodes,
            whitelist=frozenset(arguments.whitelist_custom_nodes),
        ),
        object_info=tuple(_read_file("--object-info", path, read_object_info) for path in arguments.object_info),
    )


def _cache_options(arguments: argparse.Namespace) -> CacheOptions:
    if arguments.cache_none:
        return CacheOptions(kind=CacheKind.NONE)
    if arguments.cache_lru > 0:
        return CacheOptions(kind=CacheKind.LRU, size=arguments.cache_lru)
    return CacheOptions()


def _directories(arguments: argparse.Namespace) -> Directories:
    """Return the folders that are on disk; those for input, output and temp files are created."""
    base, temp = _path(arguments.base_directory), _path(arguments.temp_directory or arguments.base_directory)
    if base is not None and not base.is_dir():
        raise CommandLineError(f"--base-directory {base} is not a folder.")
    option = "--extra-model-paths-config"
    configs = arguments.extra_model_paths_config or []
    directories = Directories(
        base=base,
        output=_path(arguments.output_directory) or (base / "output" if base else None),
        input=_path(arguments.input_directory) or (base / "input" if base else None),
        temp=temp / "temp" if temp else None,
        extra_models=tuple(folder for path in configs for folder in _read_file(option, path, read_extra_paths)),
    )
    for folder, path in directories.files.items():
        _create(folder, path)
    return directories


def _path(text: str | None) -> Path | None:
    return Path(text) if text else None


def _create(folder: str, path: Path) -> None:
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise CommandLineError(f"the {folder} folder {path} cannot be created: {error.strerror or error}") from error


def _read_file(option: str, path: str, read: Callable[[Path], Content]) -> Content:
    try:
        return read(Path(path))
    except OSError as error:
        raise CommandLineError(f"{option} {path} cannot be read: {error.strerror or error}") from error
    except InvalidRequestError as error:
        raise CommandLineError(f"{option}: {error.message}") from error
