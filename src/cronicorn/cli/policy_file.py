"""Files that hold one policy."""

from cronicorn.cli.yaml_file import YamlFile, locating, read_yaml_file
from cronicorn.control.policy_text import BEGINNING, policy_in
from cronicorn.domain.errors import InvalidInputError, NotFoundError
from cronicorn.domain.policy.policy import Policy


def read_policy_file(path: str) -> Policy:
    """The policy in the file at *path*. Raises InvalidInputError with every fault, each on its line."""
    return located_policy(path)[0]


def located_policy(path: str) -> tuple[Policy, YamlFile]:
    """The same, and the file, which knows the lines of its parts."""
    try:
        file = read_yaml_file(path)
    except NotFoundError as error:
        raise InvalidInputError(str(error)) from error
    if isinstance(file.value, dict) and "jobs" in file.value and "version" not in file.value:
        raise InvalidInputError(
            f"{file.name} lists jobs: `cronicorn apply --dry-run` checks it, with the policies inside. A policy alone "
            f"begins with {BEGINNING}."
        )
    if not isinstance(file.value, dict):
        raise InvalidInputError(f"{file.name} is no policy: begin with {BEGINNING}.")
    with locating(file):
        return policy_in(file.value), file
