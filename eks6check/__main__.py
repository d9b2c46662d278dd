"""Run eks6check as ``python -m eks6check``."""

from eks6check.cli import main

if __name__ == "__main__":
    main()
