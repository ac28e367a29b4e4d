"""What commands about members and keys have in common."""

from enum import StrEnum
from typing import Annotated

import typer

JsonOption = Annotated[bool, typer.Option("--json", help="As JSON.")]


class RoleWord(StrEnum):
    """What somebody is to a tenant."""

    VIEWER = "viewer"
    OPERATOR = "operator"
    EDITOR = "editor"
    OWNER = "owner"
