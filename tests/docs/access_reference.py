"""The tables of roles and permissions, made from the one table that is enforced."""

from cronicorn.domain.permission import GRANTED, NEEDED, Permission, Role
from tests.docs.markdown import table


def permissions(told: dict[str, str]) -> str:
    """Every permission, who has it and what it lets one do; *told* are the texts behind the members."""
    rows = [(f"`{each.value}`", told[each.name], _roles_with(each), " ".join(_operations(each))) for each in Permission]
    return table(("permission", "lets one", "roles that have it", "operations"), rows)


def roles(told: dict[str, str]) -> str:
    """Every role and what it has."""
    rows = [(f"`{role}`", told[role.name], " ".join(f"`{each}`" for each in sorted(GRANTED[role]))) for role in Role]
    return table(("role", "what it is for", "permissions"), rows)


def _roles_with(permission: Permission) -> str:
    return " ".join(f"`{role}`" for role in Role if permission in GRANTED[role]) or "who runs the installation"


def _operations(permission: Permission) -> list[str]:
    return [f"`{operation}`" for operation, needed in NEEDED.items() if needed is permission]
