"""The command `civitai-mock`: listen to signals, and only then import what takes its time."""

from civitai_mock.cli.stop import Stop
from civitai_mock.cli.streams import leave, open_standard_streams


def main() -> None:
    """Process 1 of a container does not even get a signal for which there is no handler, so this comes first."""
    stop = Stop()
    stop.listen()
    open_standard_streams()
    from civitai_mock.cli.command import run

    leave(run(stop))


if __name__ == "__main__":
    main()
