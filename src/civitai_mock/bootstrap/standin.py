"""Make the stand-in for ComfyUI, which is served alone."""

from collections.abc import Sequence

from starlette.applications import Starlette

from civitai_mock.bootstrap.stores import read_catalogue
from civitai_mock.clock import SystemClock
from civitai_mock.comfyui_standin.app import make_app
from civitai_mock.comfyui_standin.launch import LaunchError, options_of
from civitai_mock.comfyui_standin.options import EXAMPLE, REALISTIC, Durations, example_image, pretended_models
from civitai_mock.comfyui_standin.standin import Standin
from civitai_mock.comfyui_standin.state.files import FilePlace
from civitai_mock.drawing.png import draw_as
from civitai_mock.settings import Settings, SettingsError, SimulationProfile


def make_comfyui_standin(settings: Settings, argv: Sequence[str] = ()) -> Starlette:
    """Make the app of a ComfyUI that was started with the arguments `argv`.

    Raise `SettingsError` for arguments that cannot work.
    """
    durations = REALISTIC if settings.simulation_profile is SimulationProfile.REALISTIC else Durations()
    try:
        options = options_of(argv, durations=durations)
    except LaunchError as error:
        raise SettingsError(error.message) from error
    standin = Standin(
        clock=SystemClock(),
        models={} if options.directories.base else pretended_models(read_catalogue()),
        draw=draw_as(settings.simulation_pictures),
        options=options,
    )
    if options.directories.input is None:
        workshop = standin.workshop
        workshop.files.put(FilePlace("input", "", EXAMPLE), example_image(), now=workshop.clock.now())
    return make_app(standin)
