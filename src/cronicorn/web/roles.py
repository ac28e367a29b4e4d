"""Roles in words, and which of them somebody may give."""

from collections.abc import Mapping, Sequence

from cronicorn.domain.permission import Operation, Permission, Role, permitted
from cronicorn.domain.principal import Principal

ROLES: Mapping[Role, str] = {
    Role.VIEWER: "viewer: looks on",
    Role.OPERATOR: "operator: also pauses, steers, runs and cancels",
    Role.EDITOR: "editor: also decides what runs, and who is told",
    Role.OWNER: "owner: also decides who may do what",
}
PERMISSIONS: Mapping[Permission, str] = {
    Permission.JOBS_READ: "see jobs, endpoints, runs and incidents",
    Permission.JOBS_WRITE: "make, change and delete jobs and endpoints",
    Permission.RUNS_CONTROL: "pause, steer, run, test and cancel",
    Permission.POLICIES_WRITE: "decide about drafts of rules",
    Permission.ALERTS_WRITE: "say who is told when something is wrong",
    Permission.MEMBERS_READ: "see who is a member",
    Permission.MEMBERS_WRITE: "add and remove members",
    Permission.KEYS_READ: "see which API keys there are",
    Permission.KEYS_WRITE: "make and revoke API keys",
    Permission.SECRETS_READ: "see which secrets there are, never one itself",
    Permission.SECRETS_WRITE: "set and remove secrets and signing keys",
    Permission.AUDIT_READ: "see who did what",
    Permission.TENANTS_WRITE: "run the installation: see, add and provide for tenants",
}


def roles_of(asker: Principal) -> Sequence[tuple[str, str]]:
    """The roles that *asker* may give, each with its words: nobody gives more than they have."""
    return [
        (role.value, words)
        for role, words in ROLES.items()
        if permitted(role, None, runs_installation=False) <= asker.permissions
    ]


def runs_installation(asker: Principal) -> bool:
    """Whether *asker* may let others run the installation."""
    return asker.may(Operation.TENANT_ADD)
