"""The program's door: ``eks6check``, and ``python -m eks6check``."""

import gc
import sys

OBJECTS_BETWEEN_COLLECTIONS = 200_000
"""How many new objects Python waits for until it looks for cycles. Of itself it waits for 700; a run makes millions."""


def main() -> None:
    """Run the program; whoever stops it while it still loads gets the same 130 as later."""
    gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
    try:
        from eks6check import cli  # noqa: PLC0415  loading takes a moment, in which somebody may press Ctrl-C

        cli.main()
    except KeyboardInterrupt:
        sys.exit(130)
    finally:
        gc.freeze()  # else Python looks through all that it is about to drop, for longer than one file takes to judge


if __name__ == "__main__":
    main()
