"""An endpoint whose rules are edited: what was entered, and what is in force where nothing was."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass, replace

from cronicorn.control.plane import ControlPlane
from cronicorn.control.policy_judging import names_siblings
from cronicorn.control.policy_text import read_policy_text, write_policy_text
from cronicorn.domain.endpoint import JobEndpoint
from cronicorn.domain.principal import Principal
from cronicorn.web.form_fields import lines_of
from cronicorn.web.policy_looking import LookedPolicy, looked_policy

OVER_DEFAULT = "7d"


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyDesk:
    """An endpoint whose rules are edited, and what was entered."""

    endpoint: JobEndpoint
    description: str
    text: str
    over: str = OVER_DEFAULT

    async def look(self, control: ControlPlane, asker: Principal) -> LookedPolicy:
        """What was entered, understood. A long text takes a while to be read: others have their turn."""
        read = await asyncio.to_thread(read_policy_text, self.text)
        others: tuple[str, ...] = ()
        if names_siblings(replace(self.endpoint, policy=read.policy)):
            job = [each.endpoint for each in await control.endpoints.list(asker, self.endpoint.job_id)]
            others = tuple(each.name for each in job if each.archived_at is None)
        return await asyncio.to_thread(looked_policy, self.endpoint, others, read, self.description)


async def policy_desk(
    control: ControlPlane, asker: Principal, endpoint_id: str, form: Mapping[str, str] | None = None
) -> PolicyDesk:
    """The endpoint with what a *form* holds, and what is in force where it holds nothing."""
    endpoint, form = (await control.endpoints.get(asker, endpoint_id)).endpoint, form or {}
    return PolicyDesk(
        endpoint=endpoint,
        description=lines_of(form.get("description", endpoint.description or "")).rstrip(),
        text=lines_of(form["policy"]).rstrip() if "policy" in form else write_policy_text(endpoint.policy),
        over=form.get("over", OVER_DEFAULT).strip() or OVER_DEFAULT,
    )  # fmt: skip
