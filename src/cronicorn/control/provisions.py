"""What whoever runs the installation sets for one tenant. No tenant sets any of it for itself."""

from collections.abc import Callable

from cronicorn.control.findings import refused
from cronicorn.control.permissions import operation
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.permission import Operation
from cronicorn.domain.principal import Principal
from cronicorn.domain.provision.allowed import Allowed
from cronicorn.domain.provision.ports import ProvisionBook
from cronicorn.domain.provision.provision import NO_PROVISION, Provision


class Provisions:
    """What is set for tenants."""

    def __init__(self, book: ProvisionBook) -> None:
        self._book = book

    @operation(Operation.PROVISION_SHOW)
    async def show(self, principal: Principal) -> Provision:
        """What is set for the principal's tenant."""
        return (await self._book.provisions()).get(principal.tenant_id, NO_PROVISION)

    @operation(Operation.PROVISION_CHANGE)
    async def change(self, principal: Principal, edit: Callable[[Provision], Provision]) -> Provision:
        """Set what *edit* makes of what is set for the tenant, and answer it. Only for who runs the installation.

        Raises NotFoundError where the tenant is gone, and what *edit* raises.
        """
        return await self._book.provide(principal.tenant_id, edit, principal)


def allowed(text: str) -> Allowed:
    """Read what is to be open. Raises InvalidInputError."""
    try:
        return Allowed.parse(text)
    except InvalidInputError as error:
        raise refused("/allow", str(error)) from error
