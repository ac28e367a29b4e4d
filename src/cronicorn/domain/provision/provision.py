"""What holds for one tenant alone."""

from dataclasses import dataclass, field
from datetime import timedelta

from cronicorn.domain.cells import Row
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.fields import Document, Fields, document_in, json_text, lean, length_us
from cronicorn.domain.provision.allowed import NOTHING_ALLOWED, Allowed
from cronicorn.domain.provision.retention import KeptFor

KEPT_LEAST, KEPT_MOST = timedelta(minutes=1), timedelta(days=3_650)
"""Nothing is kept for less, or said to be kept for longer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Provision:
    """What the operator has set for a tenant, beside what the settings say for all."""

    egress: Allowed = field(default=NOTHING_ALLOWED)
    """What it may call although it is not on the public internet."""

    runs_kept: timedelta | None = None
    """How long its runs that did not fail, and its skips, are kept; None: as the settings say."""
    failures_kept: timedelta | None = None
    """The same of its runs that failed."""

    def kept_for(self, usual: KeptFor) -> KeptFor:
        """How long its history is kept where that of all is kept for *usual*.

        What is said of runs alone holds for failures as well, unless these are usually kept longer.
        """
        runs = self.runs_kept if self.runs_kept is not None else usual.runs
        failures = self.failures_kept if self.failures_kept is not None else max(usual.failures, runs)
        return KeptFor(runs=runs, failures=failures)


NO_PROVISION = Provision()


def provision_row(tenant_id: str, provision: Provision) -> Row:
    """The row of `tenant_provisions`."""
    return {"tenant_id": tenant_id, "document": json_text(provision_document(provision))}


def provision_document(provision: Provision) -> Document:
    """What is said of *provision* in that row."""
    return lean({
        "egress": str(provision.egress),
        "runs_kept_us": length_us(provision.runs_kept),
        "failures_kept_us": length_us(provision.failures_kept),
    })  # fmt: skip


def provision_of(text: str) -> Provision:
    """The provision in the column `document`. Raises one of UNREADABLE."""
    fields = Fields(document_in(text))
    try:
        return Provision(
            egress=Allowed.parse(fields.text("egress", "")),
            runs_kept=fields.length_or_none("runs_kept_us"),
            failures_kept=fields.length_or_none("failures_kept_us"),
        )
    except InvalidInputError as error:
        raise ValueError(str(error)) from error
