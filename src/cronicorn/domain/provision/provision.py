"""What holds for one tenant alone."""

from dataclasses import dataclass, field

from cronicorn.domain.cells import Row
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.fields import Document, Fields, document_in, json_text
from cronicorn.domain.provision.allowed import NOTHING_ALLOWED, Allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class Provision:
    """What the operator has set for a tenant, beside what the settings say for all."""

    egress: Allowed = field(default=NOTHING_ALLOWED)
    """What it may call although it is not on the public internet."""


NO_PROVISION = Provision()


def provision_row(tenant_id: str, provision: Provision) -> Row:
    """The row of `tenant_provisions`."""
    document: Document = {"egress": str(provision.egress)}
    return {"tenant_id": tenant_id, "document": json_text(document)}


def provision_of(text: str) -> Provision:
    """The provision in the column `document`. Raises one of UNREADABLE."""
    fields = Fields(document_in(text))
    try:
        return Provision(egress=Allowed.parse(fields.text("egress")))
    except InvalidInputError as error:
        raise ValueError(str(error)) from error
