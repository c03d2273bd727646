"""Make the stand-in for ComfyUI, which is served alone."""

from collections.abc import Sequence

from starlette.applications import Starlette

from civitai_mock.bootstrap.stores import read_catalogue
from civitai_mock.clock import SystemClock
from civitai_mock.comfyui_standin.app import make_app
from civitai_mock.comfyui_standin.command_line import CommandLineError, read_command_line
from civitai_mock.comfyui_standin.default_files import EXAMPLE_IMAGE, default_model_names, example_image
from civitai_mock.comfyui_standin.options import REALISTIC, Durations
from civitai_mock.comfyui_standin.standin import Standin
from civitai_mock.comfyui_standin.state.files import FilePlace
from civitai_mock.drawing.drawn_images import draw_as
from civitai_mock.settings import Settings, SettingsError, SimulationProfile


def make_comfyui_standin(settings: Settings, argv: Sequence[str] = ()) -> Starlette:
    """Make the app of a ComfyUI that was started with the arguments `argv`.

    Raise `SettingsError` for arguments that cannot work.
    """
    durations = REALISTIC if settings.simulation_profile is SimulationProfile.REALISTIC else Durations()
    try:
        options = read_command_line(argv, durations=durations)
    except CommandLineError as error:
        raise SettingsError(error.message) from error
    standin = Standin(
        clock=SystemClock(),
        models={} if options.directories.base else default_model_names(read_catalogue()),
        draw=draw_as(settings.simulation_pictures),
        options=options,
    )
    if options.directories.input is None:
        state = standin.state
        state.files.put(FilePlace("input", "", EXAMPLE_IMAGE), example_image(), now=state.clock.now())
    return make_app(standin, command_origins=settings.control_origins)
