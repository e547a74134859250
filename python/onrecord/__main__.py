"""The command `onrecord`, which is also `python -m onrecord`."""

import os
import signal
import sys

from ._onrecord import run_command  # type: ignore[import-not-found]


def main() -> int:
    """Runs the command line of this process, and returns the exit code."""
    if os.name == "posix":
        _undo_what_python_did()
    return run_command(sys.argv[1:])


def _undo_what_python_did() -> None:
    """The command finds signals and standard streams as a program without Python does."""
    # Ctrl-C would wait for the interpreter, which does nothing while the command runs. If it was ignored, it stays so.
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.signal(signal.SIGXFSZ, signal.SIG_DFL)
    # What is opened next would take the number of a closed one, and messages be written into it.
    for number in range(3):
        try:
            os.fstat(number)
        except OSError:
            os.open(os.devnull, os.O_RDWR)


if __name__ == "__main__":
    sys.exit(main())
