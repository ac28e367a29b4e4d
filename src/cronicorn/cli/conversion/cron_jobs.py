"""CronJobs of Kubernetes, as `batch/v1` describes them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from cronicorn.cli.conversion.commands import described_by
from cronicorn.cli.conversion.days import days_of_kubernetes
from cronicorn.cli.conversion.placeholders import Placeholders
from cronicorn.cli.conversion.report import Conversion, Converted, LeftOut, once
from cronicorn.cli.conversion.request import DescribedRequest, Fields, endpoint_fields
from cronicorn.cli.conversion.shell_line import NotConvertibleError
from cronicorn.cli.yaml_file import documents_in
from cronicorn.domain.endpoint import RETRIES_MAX
from cronicorn.domain.errors import InvalidInputError
from cronicorn.domain.ports import Clock, Cron

DOCUMENTS_MAX = 1_000
_EVERY = re.compile(r"@every\s+((?:\d{1,12}(?:\.\d{1,12})?(?:ns|us|µs|ms|s|m|h)){1,9})")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_MICROSECONDS = {"ns": 0.001, "us": 1, "µs": 1, "ms": 1_000, "s": 1_000_000, "m": 60_000_000, "h": 3_600_000_000}
_REFERENCE = re.compile(r"\$\$|\$\(([A-Za-z_][\w.-]*)\)")
_CLIENTS = {"curl", "wget"}
_BACKOFF: Fields = {"minBackoffMs": 10_000, "maxBackoffMs": 360_000}
_BACKOFF_LIMIT = 6
_CLOCK = (
    "When the clock jumps, Kubernetes passed over a time that is skipped and ran one that comes twice both times; "
    "`dstGap: skip` and `dstOverlap: both` keep that."
)
_GENERAL = (
    "A pod took seconds to start and kept what it printed; here a call starts on time, and its run keeps the answer.",
    "Kubernetes made up for one missed instant; here the latest one within the catch-up window runs (`catchUp`).",
)

Manifest = Mapping[str, object]


@dataclass(slots=True)
class _Pod:
    """What one container is told."""

    words: list[str]
    variables: dict[str, str] = field(default_factory=dict)


def converted_cron_jobs(source: str, text: str, clock: Clock, cron: Cron) -> Conversion:
    """The endpoints that call what the CronJobs in *text* call: one or many documents, and lists of them.

    Raises InvalidInputError for what is not YAML.
    """
    conversion = Conversion(source=source)
    for place, manifest in _manifests(source, text):
        if (kind := manifest.get("kind")) != "CronJob":
            conversion.left_out.append(
                LeftOut(place=place, reason=f"It is not a CronJob, but {_text(kind) or 'unknown'}.")
            )
            continue
        try:
            conversion.add(_converted(place, manifest, conversion), clock, cron)
        except NotConvertibleError as error:
            conversion.left_out.append(LeftOut(place=place, reason=str(error)))
    conversion.tell_of_all(_GENERAL, _CLOCK)
    return conversion


def _manifests(source: str, text: str) -> Iterator[tuple[str, Manifest]]:
    waiting = [each for each in documents_in(source, text) if each is not None]
    for number, document in enumerate(waiting, 1):
        if number > DOCUMENTS_MAX:
            raise InvalidInputError(f"{source} holds more than {DOCUMENTS_MAX} things: split it.")
        manifest = _object(document)
        if str(manifest.get("kind", "")).endswith("List"):
            waiting += _list(manifest.get("items"))
            continue
        metadata = _object(manifest.get("metadata"))
        name = _text(metadata.get("name")) or f"document {number}"
        namespace = _text(metadata.get("namespace"))
        yield f"{source}: {namespace}/{name}" if namespace is not None else f"{source}: {name}", manifest


def _converted(place: str, manifest: Manifest, conversion: Conversion) -> Converted:
    metadata, spec = _object(manifest.get("metadata")), _object(manifest.get("spec"))
    job_spec = _object(_object(spec.get("jobTemplate")).get("spec"))
    pod_spec = _object(_object(job_spec.get("template")).get("spec"))
    job = _text(metadata.get("namespace")) or "default"
    pod = _pod(pod_spec, job, conversion.placeholders)
    found = described_by(pod.words, pod.variables)
    _limit(job_spec, found)
    fields = endpoint_fields(found, conversion.placeholders)
    notes = list(found.notes)
    name = _text(metadata.get("name"))
    if name is None:
        raise NotConvertibleError("It has no name.")
    when = _when(spec, notes)
    policies = {**_retries(job_spec, found, notes), **_overlap(spec, notes), **_deadlines(spec, job_spec)}
    fields = {"name": conversion.name(job, name), **when, **fields, **policies}
    return Converted(place=place, job=job, fields=fields, notes=once(notes))


def _when(spec: Manifest, notes: list[str]) -> Fields:
    schedule, zone = _text(spec.get("schedule")), _text(spec.get("timeZone"))
    if schedule is None:
        raise NotConvertibleError("It has no schedule.")
    if "TZ=" in schedule:
        raise NotConvertibleError("Its schedule names a zone, which Kubernetes refuses: use timeZone.")
    if zone is None:
        notes.append("It names no timeZone, so its times were of the zone of the control plane; here they are of UTC.")
    if (every := _EVERY.fullmatch(schedule)) is not None:
        when: Fields = {"baselineIntervalMs": _interval_ms(every[1])}
        notes.append("@every counted from when the controller started; here each interval has a phase that stays.")
    else:
        when = {"baselineCron": schedule.replace("?", "*")}
        notes += days_of_kubernetes(schedule)
        when |= {"timezone": zone} if zone is not None else {}
        if zone not in {None, "UTC", "Etc/UTC"}:
            when |= {"dstGap": "skip", "dstOverlap": "both"}
    if spec.get("suspend") is True:
        notes.append(
            f"It is suspended, so here it runs only when asked (`dormant`). Its schedule is {schedule!r}"
            + (f" in {zone}." if zone is not None else ".")
        )
        return {"dormant": True}
    return when


def _interval_ms(text: str) -> int:
    microseconds = sum(float(number) * _MICROSECONDS[unit] for number, unit in _PART.findall(text))
    return max(1_000, int(microseconds // 1_000))


def _pod(spec: Manifest, namespace: str, placeholders: Placeholders) -> _Pod:
    containers = _list(spec.get("containers"))
    if len(containers) != 1 or spec.get("initContainers"):
        raise NotConvertibleError("It has more than one container, and an endpoint is one call.")
    container = _object(containers[0])
    variables = _variables(_list(container.get("env")), namespace, placeholders)
    command = [_substituted(each, variables) for each in _texts(container.get("command"))]
    words = command + [_substituted(each, variables) for each in _texts(container.get("args"))]
    if not command:
        words.insert(0, _entry_point(_text(container.get("image")) or ""))
    return _Pod(words=words, variables=variables)


def _entry_point(image: str) -> str:
    """What an image without a command runs: known only of those that are called as what they run."""
    name = image.rpartition("@")[0] or image
    name = name.rpartition("/")[2].partition(":")[0]
    if name not in _CLIENTS:
        raise NotConvertibleError("It names no command, and its image is not known to run curl or wget.")
    return name


def _variables(env: Sequence[object], namespace: str, placeholders: Placeholders) -> dict[str, str]:
    """What is known of the variables; each may name those before it."""
    found: dict[str, str] = {}
    for each in env:
        variable = _object(each)
        name, value = _text(variable.get("name")), variable.get("value")
        secret = _object(_object(variable.get("valueFrom")).get("secretKeyRef"))
        if name is None:
            continue
        found.pop(name, None)
        if isinstance(value, str):
            with suppress(NotConvertibleError):  # It matters only where it is used, and is told of there.
                found[name] = _substituted(value, found)
        elif secret:
            found[name] = placeholders.of_kubernetes(namespace, str(secret.get("name")), str(secret.get("key")))
    return found


def _substituted(text: str, variables: Mapping[str, str]) -> str:
    """*text* with the values of its `$(VARIABLE)`s. Raises NotConvertibleError for one that is not known."""

    def value(found: re.Match[str]) -> str:
        if found[0] == "$$":
            return "$"
        if found[1] not in variables:
            raise NotConvertibleError(f"It uses the variable {found[1]}, whose value does not stand in the manifest.")
        return variables[found[1]]

    return _REFERENCE.sub(value, text)


def _retries(job_spec: Manifest, found: DescribedRequest, notes: list[str]) -> Fields:
    """Attempts: those that the command made itself stand in its own fields."""
    limit = job_spec.get("backoffLimit", _BACKOFF_LIMIT)
    if found.retries:
        notes.append("The command tried again itself; retries of the whole job come on top of that no more.")
        return {}
    if not isinstance(limit, int) or isinstance(limit, bool) or limit <= 0:
        return {}
    unnamed = "" if "backoffLimit" in job_spec else ", as it names no backoffLimit"
    most = f"; {RETRIES_MAX} is the most here" if limit > RETRIES_MAX else ""
    if unnamed or most:
        notes.append(f"Its job was tried again {limit} times{unnamed}{most}.")
    return {"retries": {"retryCount": min(limit, RETRIES_MAX), **_BACKOFF}}


def _overlap(spec: Manifest, notes: list[str]) -> Fields:
    match spec.get("concurrencyPolicy", "Allow"):
        case "Forbid":
            return {}
        case "Replace":
            return {"overlap": "cancel_other"}
        case _:
            notes.append("Its jobs might run side by side (concurrencyPolicy: Allow); here an instant is skipped then.")
            return {}


def _limit(job_spec: Manifest, found: DescribedRequest) -> None:
    """Let a call take no longer than its whole job might."""
    active = job_spec.get("activeDeadlineSeconds")
    if isinstance(active, int) and not isinstance(active, bool) and active > 0:
        found.seconds = active if found.seconds is None else min(active, found.seconds)
        found.note("activeDeadlineSeconds was for all attempts together; here it is for each (`timeoutMs`).")


def _deadlines(spec: Manifest, job_spec: Manifest) -> Fields:
    fields: Fields = {}
    starting = spec.get("startingDeadlineSeconds")
    if isinstance(starting, int) and not isinstance(starting, bool) and starting > 0:
        fields["catchUp"] = {"windowMs": starting * 1_000}
    for name in ("parallelism", "completions"):
        if job_spec.get(name) not in (1, None):
            raise NotConvertibleError(f"Its {name} is not 1: one instant is one call here.")
    return fields


def _object(value: object) -> Manifest:
    return value if isinstance(value, dict) else {}


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _texts(value: object) -> list[str]:
    return [str(each) for each in _list(value)]


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None
