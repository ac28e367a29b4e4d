"""The `cronicorn` command as a child of the demonstration: the same program, which ends with its parent.

Run as a module with the folder it may fill and the arguments of the command. The folder goes with the parent.
"""

import shutil
import sys
from importlib import import_module
from pathlib import Path

from cronicorn.cli.demonstration.tether import tied_to_parent


def main() -> None:
    """Run `cronicorn` with all arguments but the first, which is the folder."""
    folder = Path(sys.argv.pop(1))
    with tied_to_parent(lambda: None) as gone:
        try:
            import_module("cronicorn.cli.main").main()  # by name: the command's module imports this package
        finally:
            if gone.is_set():
                shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
