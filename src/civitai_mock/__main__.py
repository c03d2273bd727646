"""The command `civitai-mock`: it handles signals first, and only then imports what takes its time."""

from civitai_mock.cli.process import Stop, leave
from civitai_mock.cli.standard_streams import open_standard_streams


def main() -> None:
    """Run the command; signals come first, as process 1 of a container gets none that it has no handler for."""
    stop = Stop()
    stop.listen()
    open_standard_streams()
    from civitai_mock.cli.command import run

    leave(run(stop))


if __name__ == "__main__":
    main()
