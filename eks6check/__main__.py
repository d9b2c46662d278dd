"""The program's door: ``eks6check``, and ``python -m eks6check``."""

import sys


def main() -> None:
    """Run the program; whoever stops it while it still loads gets the same 130 as later."""
    try:
        from eks6check import cli  # noqa: PLC0415  loading takes a moment, in which somebody may press Ctrl-C

        cli.main()
    except KeyboardInterrupt:
        sys.exit(130)


if __name__ == "__main__":
    main()
