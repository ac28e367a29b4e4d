"""What holds of the members of a tenant. Pure."""

from cronicorn.domain.access.member import Member
from cronicorn.domain.errors import ConflictError
from cronicorn.domain.permission import Role


def check_members(there: int, most: int) -> None:
    """Raise ConflictError where a tenant has *most* members already."""
    if there >= most:
        raise ConflictError(f"The tenant has {there} members, and {most} are allowed: remove those who have gone.")


def check_owners(before: Member, after: Member | None, owners: int) -> None:
    """Raise ConflictError where *before* is the only one of *owners*, and *after* is none."""
    if before.role is Role.OWNER and (after is None or after.role is not Role.OWNER) and owners <= 1:
        raise ConflictError(f"{before.login} is the only owner of the tenant: make somebody else an owner first.")


def keeps_sessions(before: Member, after: Member | None) -> bool:
    """Whether a member stays signed in: with the same role and the same password."""
    return after is not None and (after.role, after.runs_installation, after.password) == (
        before.role,
        before.runs_installation,
        before.password,
    )


def check_offered(known: Member, now: Member | None) -> None:
    """Raise ConflictError unless the member is there *now*, and what was *known* of it still holds."""
    if now is None or not keeps_sessions(known, now):
        raise ConflictError("The member was changed meanwhile: ask again.")


def check_still(known: Member, now: Member | None) -> None:
    """Raise ConflictError unless the member is there *now*, with the password that was *known*."""
    if now is None or now.password != known.password:
        raise ConflictError("The password was changed meanwhile: sign in again.")
