"""Scopes of alerts as people write them: jobs by their names, endpoints as JOB/ENDPOINT, each on a line."""

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from cronicorn.control.findings import Findings
from cronicorn.control.plane import ControlPlane
from cronicorn.domain.alert.alerting import EVERYWHERE, AlertScope
from cronicorn.domain.alert.wording import one_line
from cronicorn.domain.errors import NotFoundError
from cronicorn.domain.history import EndpointQuery
from cronicorn.domain.principal import Principal

SCOPE = "scope"
"""The name of the field."""
SOUGHT_MAX = 5_000
"""So many endpoints are looked through for names that somebody wrote, and no more."""
_PAGE = 500
_NAMED_MAX = 60
"""So many endpoints are told by name, the others by their ids alone."""
_LISTED, _PLACED_MAX = 3, 20
"""In lists so many are told by name, of so many endpoints in all."""
_ID = re.compile(r"(?:(?:.*/)?(?:endpoints|jobs)/|.*\[)?([A-Za-z0-9_-]{1,64})[/\]]?")
"""An id alone, in brackets after a name, or at the end of the address of a page."""


@dataclass(slots=True)
class ScopeLines:
    """Writes scopes as lines and reads such lines, by the jobs and endpoints of whoever asks."""

    control: ControlPlane
    asker: Principal
    jobs: Mapping[str, str]
    """Names by ids."""
    sought: int = 0
    """How many endpoints were looked through."""
    _found: dict[str, list[tuple[str, str]]] = field(default_factory=dict)
    """Names and ids of the endpoints of jobs that were looked through."""

    @classmethod
    async def open(cls, control: ControlPlane, asker: Principal) -> "ScopeLines":
        """As the jobs are now."""
        return cls(control, asker, {job.id: job.name for job, _ in await control.jobs.list(asker)})

    async def written(self, scope: AlertScope) -> str:
        """*scope* in lines that `read` reads as the same: names, with the id in brackets where it is needed."""
        counts = Counter(self.jobs.values())
        lines = list[str]()
        for each in scope.job_ids:
            name = self.jobs.get(each)
            plain = name is not None and counts[name] == 1 and name == one_line(name).strip() and "]" not in name
            lines.append(f"{name}" if plain else f"{one_line(name)} [{each}]" if name is not None else each)
        placed = await self.control.whereabouts.place(self.asker, scope.endpoint_ids[:_NAMED_MAX])
        for each in scope.endpoint_ids:
            found = placed.get(each)
            lines.append(
                f"{one_line(found.job.name)}/{one_line(found.endpoint.name)} [{each}]" if found is not None else each
            )
        return "\n".join(lines)

    async def read(self, text: str, kept: AlertScope, findings: Findings) -> AlertScope:
        """What the lines of *text* mean; *findings* tell of those that mean nothing, or several.

        Ids that *kept* has may be of what is gone.
        """
        jobs, endpoints = list[str](), list[str]()
        for line in dict.fromkeys(each.strip() for each in text.split("\n") if each.strip()):
            named = [job_id for job_id, name in self.jobs.items() if name == line]
            word = found[1] if (found := _ID.fullmatch(line)) is not None else ""
            if line.endswith(f"[{word}]") and word in kept.endpoint_ids:  # As it was written, whoever is called so.
                endpoints.append(word)
            elif len(named) == 1:
                jobs += named
            elif word in self.jobs or word in kept.job_ids:
                jobs.append(word)
            elif word in kept.endpoint_ids or (word and await self._is_endpoint(word)):
                endpoints.append(word)
            else:
                meant = named or await self._meant(line)
                endpoints += meant
                _judge(line, len(meant), findings, whole=self.sought < SOUGHT_MAX)
        return AlertScope(job_ids=tuple(jobs), endpoint_ids=tuple(endpoints))

    async def _is_endpoint(self, word: str) -> bool:
        return bool(await self.control.whereabouts.place(self.asker, [word]))

    async def _meant(self, line: str) -> list[str]:
        """The ids of the endpoints that *line*, as JOB/ENDPOINT, may mean: both names may hold slashes."""
        return [
            endpoint_id
            for job_id, job in self.jobs.items()
            if line.startswith(f"{job}/")
            for name, endpoint_id in await self._endpoints(job_id)
            if f"{job}/{name}" == line
        ]

    async def _endpoints(self, job_id: str) -> list[tuple[str, str]]:
        """Names and ids of those of a job that are not archived, as far as they are looked through."""
        if job_id in self._found:
            return self._found[job_id]
        found = self._found[job_id] = []
        after: str | None = None
        while self.sought < SOUGHT_MAX:
            try:
                query = EndpointQuery(limit=_PAGE, after=after)
                page = await self.control.endpoints.list(self.asker, job_id, query)
            except NotFoundError:  # It went meanwhile.
                break
            self.sought += len(page)
            found += [(each.endpoint.name, each.endpoint.id) for each in page if each.endpoint.archived_at is None]
            if len(page) < _PAGE:
                break
            after = page[-1].endpoint.id
        return found


async def read_scope(
    control: ControlPlane, asker: Principal, entered: Mapping[str, str], findings: Findings,
    kept: AlertScope = EVERYWHERE,
) -> AlertScope:  # fmt: skip
    """What was entered as SCOPE (`ScopeLines.read`)."""
    if not entered[SCOPE]:
        return EVERYWHERE
    return await (await ScopeLines.open(control, asker)).read(entered[SCOPE], kept, findings)


async def told_scopes(control: ControlPlane, asker: Principal, scopes: Sequence[AlertScope]) -> list[str]:
    """Each of *scopes* as a list shows it: by names where these are few, else by how many there are."""
    few = [each for each in scopes if len(each.job_ids) + len(each.endpoint_ids) <= _LISTED]
    jobs = {job.id: job.name for job, _ in await control.jobs.list(asker)} if any(each.job_ids for each in few) else {}
    sought = [each for scope in few for each in scope.endpoint_ids][:_PLACED_MAX]
    placed = await control.whereabouts.place(asker, sought)
    names = jobs | {each: f"{found.job.name}/{found.endpoint.name}" for each, found in placed.items()}
    return [_told(scope, names) for scope in scopes]


def _told(scope: AlertScope, names: Mapping[str, str]) -> str:
    if scope == EVERYWHERE:
        return "all endpoints"
    ids = (*scope.job_ids, *scope.endpoint_ids)
    if len(ids) <= _LISTED and all(each in names for each in ids):
        return ", ".join(names[each] for each in ids)
    counted = (("job", len(scope.job_ids)), ("endpoint", len(scope.endpoint_ids)))
    return " and ".join(f"{many} {what}{'' if many == 1 else 's'}" for what, many in counted if many)


def _judge(line: str, many: int, findings: Findings, *, whole: bool) -> None:
    shown = f"“{line[:80]}”"
    if many > 1:
        findings.refuse(f"/{SCOPE}", f"{many} are called {shown}: give the address of the page of one.")
    elif not many and whole:
        findings.refuse(f"/{SCOPE}", f"Nothing is called {shown}: give the name of a job, or JOB/ENDPOINT.")
    elif not many:
        findings.refuse(f"/{SCOPE}", f"{shown} is among too many to look through: give the address of its page.")
