"""Stands in for a command: `noting_command.py NOTES SAYS [ARGUMENT ...]` notes its arguments, and says something."""

import json
import sys

if __name__ == "__main__":
    _, notes, says, *arguments = sys.argv
    with open(notes, "a", encoding="utf-8") as file:  # noqa: PTH123 - importing `pathlib` takes longer than the rest
        file.write(f"{json.dumps(arguments)}\n")
    sys.stdout.write(says)
