"""Crontabs and CronJobs become files of jobs; what differs is told, and no credential is shown."""

from typing import Any

import pytest
import yaml

from cronicorn.cli.conversion.cron_jobs import converted_cron_jobs
from cronicorn.cli.conversion.crontab import CrontabSource, converted_crontab
from cronicorn.cli.conversion.report import Conversion
from cronicorn.control.file_document import FileDocument
from cronicorn.domain.errors import InvalidInputError
from cronicorn.wiring.timekeeping import cron, system_clock
from tests.cli.command import cronicorn, environment

URL = "https://shop.example/stock"
HOUR = "0 * * * * "


def of_crontab(text: str, *, zone: str | None = "UTC", system: bool = False) -> Conversion:
    source = CrontabSource(name="crontab", text=text, job="crontab", zone=zone, system=system)
    return converted_crontab(source, system_clock(), cron())


def fields_of(conversion: Conversion) -> dict[str, Any]:
    """Those of the one endpoint, as its file says them, without what each has."""
    assert conversion.left_out == [], conversion.left_out
    document = yaml.safe_load(conversion.text())
    FileDocument.model_validate(document)
    [job] = document["jobs"]
    [endpoint] = job["endpoints"]
    usual = {"name": "stock", "baselineCron": "0 * * * *", "timezone": "UTC", "url": URL}
    return {name: value for name, value in endpoint.items() if usual.get(name) != value}


def reason_of(conversion: Conversion) -> str:
    assert conversion.converted == []
    [left] = conversion.left_out
    return left.reason


JSON = {"Content-Type": "application/json", "Accept": "application/json"}


@pytest.mark.parametrize(
    ("command", "fields"),
    [
        (f"curl {URL}", {}),
        (f"/usr/bin/curl -fsS {URL} >/dev/null 2>&1", {}),
        (f"curl -fsS {URL} &>/dev/null || true", {}),
        (f"curl -XPOST {URL};", {"method": "POST"}),
        (f"curl -X \"PUT\" '{URL}'", {"method": "PUT"}),
        (f"curl --request DELETE --url {URL}", {"method": "DELETE"}),
        (f"curl -I {URL}", {"method": "HEAD"}),
        (f"curl -H 'Accept: text/plain' -A me {URL}", {"headersJson": {"Accept": "text/plain", "User-Agent": "me"}}),
        (f"curl --json '{{\"a\": [1]}}' {URL}", {"method": "POST", "headersJson": JSON, "bodyJson": {"a": [1]}}),
        (f"curl -d '{{\"a\": 1}}' {URL}", {"method": "POST", "bodyJson": {"a": 1}}),
        (f"curl -G -d a=1 --data-urlencode 'q=x y' {URL}", {"url": f"{URL}?a=1&q=x%20y"}),
        (f"curl -m 2.5 {URL}", {"timeoutMs": 2_500}),
        (f"curl --max-time 120 {URL}", {"timeoutMs": 120_000, "maxExecutionTimeMs": 120_000}),
        (f"timeout -k 5 1m curl {URL}", {"timeoutMs": 60_000}),
        (f"timeout 0 curl -m 0 {URL}", {}),
        (f"timeout 0 curl -m 7 {URL}", {"timeoutMs": 7_000}),
        (f"curl -g {URL}/[1-9]", {"name": "stock-[1-9]", "url": f"{URL}/[1-9]"}),
        (f"curl --retry 3 --retry-delay 10 {URL}", {"retries": {"retryCount": 3, "minBackoffMs": 10_000}}),
        (f"curl --retry 9 {URL}", {"retries": {"retryCount": 5, "minBackoffMs": 1_000}}),
        (f"curl -L {URL}", {"redirectsMax": 10}),
        (f"curl -L --max-redirs 3 {URL}", {"redirectsMax": 3}),
        (f"flock -n /tmp/l -c 'nice -n 10 curl {URL}'", {}),
        (f"bash -lc 'curl {URL}'", {}),
        (f"sleep $((RANDOM \\% 60)); curl {URL}", {}),
        (f"sleep $(shuf -i 0-60 -n 1)m && curl {URL}", {}),
        (f"sh -c 'set -eu; sleep 5; curl {URL}'", {}),
        ("curl shop.example/stock", {"url": "http://shop.example/stock"}),
        (f"wget -qO- {URL}", {"redirectsMax": 10}),
        (f"wget -nv --spider --max-redirect=0 -T 9 -t 3 {URL}", {
            "method": "HEAD", "timeoutMs": 9_000, "retries": {"retryCount": 2},
        }),
        (f"wget -q --method=PUT --body-data='[1]' --header 'Content-Type: application/json' --max-redirect 0 {URL}", {
            "method": "PUT", "bodyJson": [1], "headersJson": {"Content-Type": "application/json"},
        }),
        (f'curl --json @- {URL} %{{"day": "\\%d"}}', {
            "method": "POST", "headersJson": JSON, "bodyJson": {"day": "%d"},
        }),
    ],
)  # fmt: skip
def test_commands_become_endpoints(command, fields):
    assert fields_of(of_crontab(HOUR + command)) == fields


@pytest.mark.parametrize(
    ("command", "why"),
    [
        (f"curl {URL} | grep ok", "pipe"),
        (f"curl {URL} && echo done", "more than one command"),
        (f"cd /tmp; curl {URL}", "more than one command"),
        (f"curl {URL}; sleep 5", "more than one command"),
        (f"sleep $(date; reboot); curl {URL}", "command substitution"),
        (f"curl {URL} {URL}", "more than one URL"),
        (f"curl {URL}/[1-9]", "Its URL means several"),
        (f"curl '{URL}/{{a,b}}'", "Its URL means several"),
        (f"curl {URL} --json " + "[" * 3_000 + "]" * 3_000, "a form or text"),
        (f"curl -m {'9' * 400} {URL}", "a length of time that can't be read"),
        ("curl", "names no URL"),
        ("/opt/backup.sh", "something other than curl or wget"),
        ("bash /opt/backup.sh", "script"),
        (f"curl -d a=1 {URL}", "a form or text"),
        (f"curl -d @/etc/passwd {URL}", "sends a file"),
        (f"curl -F a=b {URL}", "sends a file or a form"),
        (f"curl -k {URL}", "check certificates"),
        (f"wget --no-check-certificate {URL}", "check certificates"),
        (f"curl -x proxy:1 {URL}", "proxy"),
        (f"curl --frobnicate {URL}", "--frobnicate is not known"),
        (f"curl {URL} -m", "-m misses a value"),
        (f"curl {URL}?d=$(date)", "command substitution"),
        (f"curl {URL}?d=`date`", "command substitution"),
        (f"curl {URL}/$HOST", "variable HOST"),
        (f"curl 'unclosed {URL}", "not closed"),
        (f"curl -d @- {URL} < /tmp/file", "reads a file"),
        (f"curl -X BREW {URL}", "method is not one of"),
        ("curl ftp://shop.example", "not one of http or https"),
        (f"wget -r {URL}", "more than one URL"),
        (f"curl -K /etc/curlrc {URL}", "file of options or passwords"),
        (f"curl -H 'Host: other' {URL}", "Cronicorn would refuse it"),
    ],
)
def test_what_has_no_counterpart_is_left_out_with_the_reason(command, why):
    assert why in reason_of(of_crontab(HOUR + command))


@pytest.mark.parametrize(
    "command",
    [
        "curl -H 'Authorization: Bearer {}' https://shop.example",
        "curl -H 'X-Api-Key: {}' https://shop.example",
        "curl --oauth2-bearer {} https://shop.example",
        "curl -u ada:{} https://shop.example",
        "curl https://ada:{}@shop.example",
        "curl -b session={} https://shop.example",
        'curl --json \'{{"a": {{"password": "{}"}}}}\' https://shop.example',
        "wget -q --user=ada --password={} https://shop.example",
    ],
)
def test_credentials_become_references_and_are_shown_nowhere(command):
    conversion = of_crontab(HOUR + command.format("Hunter2Hunter2"))

    [name] = conversion.placeholders.noted
    assert f"{{{{secret.{name}}}}}" in conversion.text()
    assert any(f"cronicorn secret set {name}`" in line for line in conversion.report())
    assert "unter2" not in conversion.text() + "".join(conversion.report())
    FileDocument.model_validate(yaml.safe_load(conversion.text()))


@pytest.mark.parametrize(
    "command",
    [
        "curl 'https://shop.example/?token={}'",
        "curl https://hooks.chat.example/services/T0/{}",
        "frob --password {} https://shop.example",
        "curl -u ada:{} https://shop.example | mail {}",
        "curl --frob={} https://shop.example",
        "curl -X {} https://shop.example",
        "curl -m {} https://shop.example",
        "curl '{} https://shop.example",
    ],
)
def test_what_is_left_out_is_not_repeated_either(command):
    conversion = of_crontab(HOUR + command.replace("{}", "xK9fQ2hunterHUNTER27pL3"))

    assert conversion.converted == []
    assert "hunter" not in (conversion.text() + "".join(conversion.report())).lower()


def test_lines_of_settings_hold_for_the_lines_after_them():
    text = (
        f"A_TOKEN = 'Hunter2Hunter2'\n{HOUR}curl -H \"Authorization: Bearer $A_TOKEN\" {URL}\n"
        f"CRON_TZ=Europe/Berlin\nRANDOM_DELAY=10\nMAILTO=ops@shop.example\n-30 2 * * * curl {URL} # each night\n"
    )
    conversion = of_crontab(text, zone=None)

    first, second = yaml.safe_load(conversion.text())["jobs"][0]["endpoints"]
    assert first["headersJson"] == {"Authorization": "Bearer {{secret.stock-authorization}}"}
    assert "timezone" not in first
    assert (second["name"], second["timezone"], second["windowMs"]) == ("stock 2", "Europe/Berlin", 600_000)
    told = "\n".join(conversion.report())
    for word in ("No CRON_TZ", "MAILTO", "RANDOM_DELAY", "skipped (`overlap`)", "clock jumps", "crontab:6: "):
        assert word in told
    assert "unter2" not in told


@pytest.mark.parametrize(
    ("line", "why"),
    [
        (f"@reboot curl {URL}", "when the machine starts"),
        (f"@every_minute curl {URL}", "nickname"),
        ("* * * *", "not an entry"),
        (f"61 * * * * curl {URL}", "Cronicorn would refuse it: baselineCron"),
    ],
)
def test_entries_that_no_instant_fits_are_left_out(line, why):
    assert why in reason_of(of_crontab(line))


@pytest.mark.parametrize(("days", "word"), [("1 * mon", "either fits"), ("*/2 * mon", "both fit"), ("1 * *", None)])
def test_days_that_are_both_restricted_are_told_of(days, word):
    [converted] = of_crontab(f"0 0 {days} curl -f -m 5 {URL}").converted

    assert [word in note for note in converted.notes] == ([] if word is None else [True])


def test_a_system_crontab_has_users():
    assert fields_of(of_crontab(f"@hourly root curl {URL}", system=True)) == {"baselineCron": "@hourly"}
    assert "with a user" in reason_of(of_crontab("@hourly root", system=True))


MANIFEST = """\
apiVersion: batch/v1
kind: CronJob
metadata: {{name: stock, namespace: shop}}
spec:
  schedule: "{schedule}"
  {spec}
  jobTemplate:
    spec:
      {job}
      template:
        spec:
          restartPolicy: Never
          containers:
            - name: call
              {container}
"""


def of_manifest(
    schedule: str = "0 * * * *", spec: str = "timeZone: UTC", job: str = "backoffLimit: 0", container: str | None = None
) -> Conversion:
    container = container or f'command: [curl, -f, -m, "5", {URL}]'
    text = MANIFEST.format(schedule=schedule, spec=spec, job=job, container=container)
    return converted_cron_jobs("jobs.yaml", text, system_clock(), cron())


SECRET = """env:
                - {name: TOKEN, valueFrom: {secretKeyRef: {name: shop, key: api_key}}}
                - {name: HOST, value: shop.example}
              """


INDIRECT = """env:
                - {name: TOKEN, valueFrom: {secretKeyRef: {name: 1st, key: token}}}
                - {name: AUTHORIZATION, value: Bearer $(TOKEN)}
              """


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({}, {}),
        ({"spec": "timeZone: Europe/Berlin"}, {
            "timezone": "Europe/Berlin", "dstGap": "skip", "dstOverlap": "both",
        }),
        ({"spec": "timeZone: UTC\n  suspend: true"}, {"dormant": True}),
        ({"spec": "concurrencyPolicy: Replace\n  timeZone: UTC"}, {"overlap": "cancel_other"}),
        ({"spec": "startingDeadlineSeconds: 90\n  timeZone: UTC"}, {"catchUp": {"windowMs": 90_000}}),
        ({"job": "activeDeadlineSeconds: 120\n      backoffLimit: 2"}, {
            "retries": {"retryCount": 2, "minBackoffMs": 10_000, "maxBackoffMs": 360_000},
        }),
        ({"job": "ttlSecondsAfterFinished: 1"}, {
            "retries": {"retryCount": 5, "minBackoffMs": 10_000, "maxBackoffMs": 360_000},
        }),
        ({"schedule": "@every 1h30m"}, {"baselineIntervalMs": 5_400_000}),
        ({"container": f'image: "curlimages/curl:8@sha256:ab"\n              args: [-m, "5", {URL}]'}, {}),
        ({"container": f'command: [/bin/sh, -c, "wget -q -T 5 --max-redirect=0 {URL}"]'}, {}),
        ({"container": SECRET + 'command: [sh, -c, \'curl -m 5 -H "X-Api-Key: $TOKEN" https://$HOST/stock\']'}, {
            "headersJson": {"X-Api-Key": "{{secret.shop-api-key}}"},
        }),
        ({"container": SECRET + 'command: [curl, -m, "5", -H, "X-Api-Key: $(TOKEN)", https://$(HOST)/stock]'}, {
            "headersJson": {"X-Api-Key": "{{secret.shop-api-key}}"},
        }),
        ({"container": SECRET + 'command: [curl, -m, "5", -u, "me:$(TOKEN)", https://$(HOST)/stock]'}, {
            "auth": {"type": "basic", "username": "me", "password": "{{secret.shop-api-key}}"},
        }),
        ({"container": INDIRECT + f'command: [curl, -m, "5", -H, "Authorization: $(AUTHORIZATION)", {URL}]'}, {
            "headersJson": {"Authorization": "Bearer {{secret.secret-1st-token}}"},
        }),
        ({"container": f'command: [sh, -c, "curl \\\\\\n  -m 5 \\\\\\n  \\"{URL}\\""]'}, {}),
    ],
)  # fmt: skip
def test_cron_jobs_become_endpoints(changes, fields):
    found = fields_of(of_manifest(**changes))

    assert {name: value for name, value in found.items() if name != "timeoutMs"} == fields
    assert found.get("timeoutMs") == 5_000


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"container": "image: busybox"}, "names no command"),
        ({"container": f"command: [curl, {URL}]\n            - name: second"}, "more than one container"),
        ({"container": f"command: [curl, {URL}/$(WHO)]"}, "variable WHO"),
        (
            {"container": f'env: [{{name: WHO, value: "$(ELSE)"}}]\n              command: [curl, {URL}/$(WHO)]'},
            "variable WHO",
        ),
        ({"container": "command: [python, job.py]"}, "something other than curl or wget"),
        ({"job": "parallelism: 3"}, "parallelism"),
        ({"job": "completions: []"}, "completions"),
        ({"schedule": f"@every {'9' * 400}h"}, "Cronicorn would refuse it: baselineCron"),
        ({"schedule": "TZ=UTC 0 * * * *"}, "names a zone"),
        ({"schedule": "0 25 * * *"}, "Cronicorn would refuse it: baselineCron"),
    ],
)
def test_cron_jobs_without_a_counterpart_are_left_out(changes, why):
    assert why in reason_of(of_manifest(**changes))


def test_a_secret_of_another_namespace_is_another_secret():
    container = SECRET + f'command: [curl, -m, "5", -H, "X-Api-Key: $(TOKEN)", {URL}]'
    one = MANIFEST.format(schedule="@daily", spec="timeZone: UTC", job="backoffLimit: 0", container=container)

    conversion = converted_cron_jobs(
        "k.yaml", "---\n".join([one, one.replace("namespace: shop", "namespace: bank"), one]), system_clock(), cron()
    )

    headers = [each.fields["headersJson"] for each in conversion.converted]
    assert headers == [{"X-Api-Key": f"{{{{secret.shop-api-key{which}}}}}"} for which in ("", "-2", "")]
    assert [line for line in conversion.report() if "secret set" in line] == [
        f"api_key of the Secret shop in the namespace {namespace} became {{{{secret.{name}}}}}: "
        f"`cronicorn secret set {name}` before you apply the file."
        for namespace, name in (("shop", "shop-api-key"), ("bank", "shop-api-key-2"))
    ]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("a0: &a0 {x: 1}\n" + "".join(f"a{n}: &a{n} {{<<: [{', '.join([f'*a{n - 1}'] * 9)}]}}\n" for n in range(1, 30)),
         "k.yaml:7: holds more than 1,000,000 values"),
        ("--- {a: &a [1, 1, 1, 1], b: &b [*a, *a, *a, *a], c: &c [*b, *b, *b, *b], d: [*c, *c, *c, *c]}\n"
         * 3_000, "more than 1,000,000 values end here"),
        ("&a {kind: List, items: [*a]}", "holds itself"),
        ("[" * 1_000, "nested too deeply"),
        ("kind: CronJob\nkind: Pod", "k.yaml:2: 'kind' stands here for the second time"),
    ],
)  # fmt: skip
def test_manifests_that_multiply_are_refused_before_anybody_goes_through_them(text, why):
    with pytest.raises(InvalidInputError, match=why):
        converted_cron_jobs("k.yaml", text, system_clock(), cron())


@pytest.mark.parametrize(("days", "word"), [("1 * mon", "there and here"), ("*/2 * mon", "Kubernetes ran it when")])
def test_days_mean_another_thing_in_kubernetes(days, word):
    [converted] = of_manifest(
        f"0 0 {days}", spec="{concurrencyPolicy: Forbid, timeZone: UTC}"[1:-1].replace(", ", "\n  ")
    ).converted

    assert [word in note for note in converted.notes] == [True]


@pytest.mark.parametrize(
    ("options", "active", "times"),
    [("", 20, (20_000, None)), ("", 120, (120_000, 120_000)), ("-m 5", 120, (5_000, None))],
)
def test_a_call_may_take_as_long_as_its_whole_job_might(options, active, times):
    container = f'command: [sh, -c, "curl -f {options} {URL}"]'
    conversion = of_manifest(job=f"activeDeadlineSeconds: {active}\n      backoffLimit: 0", container=container)

    found = fields_of(conversion)
    assert (found.get("timeoutMs"), found.get("maxExecutionTimeMs")) == times
    assert not any("no limit in time" in line for line in conversion.report())
    assert any("jobs.yaml: shop/stock: activeDeadlineSeconds" in line for line in conversion.report())


@pytest.mark.parametrize(
    ("url", "inside"),
    [
        ("http://10.0.0.5:8080", True),
        ("http://[::1]/", True),
        ("http://cache:80/warm", True),
        ("http://cache.web.svc.cluster.local/warm", True),
        ("https://shop.example", False),
        ("https://8.8.8.8", False),
    ],
)
def test_a_host_that_the_egress_guard_refuses_is_told_of(url, inside):
    [converted] = of_crontab(f"{HOUR}curl -f -m 5 {url}").converted

    assert ["CRONICORN_EGRESS_ALLOW" in note for note in converted.notes] == [True] * inside


def test_what_is_told_of_many_places_is_told_once():
    conversion = of_crontab(f"{HOUR}curl -f {URL}\n" * 5)

    told = [line for line in conversion.report() if "no limit in time" in line]
    limit = "It had no limit in time; here a call ends after 30 s (`timeoutMs`)."
    assert told == [f"crontab:1, crontab:2, crontab:3 and 2 more: {limit}"]
    assert conversion.text().count("no limit in time") == 5


def test_names_end_no_comment_and_speak_to_no_terminal():
    evil = "x\njobs: [{name: evil}]\x1b[2J\u2028y"
    manifest = yaml.safe_load(
        MANIFEST.format(schedule="0 * * * *", spec="suspend: true", job="backoffLimit: 0", container="command: [curl]")
    )
    manifest["metadata"] = {"name": evil, "namespace": evil}
    manifest["spec"]["timeZone"] = evil
    good = yaml.safe_load(yaml.safe_dump(manifest))
    good["metadata"]["name"] = "stock"
    good["spec"]["jobTemplate"]["spec"]["template"]["spec"]["containers"][0]["command"] = ["curl", URL]

    conversion = converted_cron_jobs(evil, yaml.safe_dump_all([manifest, good]), system_clock(), cron())

    lines = [*conversion.text().splitlines(), *conversion.report()]
    assert all(line.isprintable() for line in lines)
    [job] = yaml.safe_load(conversion.text())["jobs"]
    assert (job["name"], job["endpoints"][0]["name"]) == (evil, "stock")


def test_lists_and_several_documents_are_read_and_other_kinds_named():
    one = MANIFEST.format(
        schedule="0 * * * *", spec="timeZone: UTC", job="backoffLimit: 0", container=f"command: [curl, -f, {URL}]"
    )
    item = yaml.safe_load(one)
    text = yaml.safe_dump_all([item, {"kind": "List", "items": [item, {"kind": "Pod", "metadata": {"name": "p"}}]}])

    conversion = converted_cron_jobs("jobs.yaml", text + "---\n", system_clock(), cron())

    assert [each.fields["name"] for each in conversion.converted] == ["stock", "stock 2"]
    assert [(each.place, each.reason) for each in conversion.left_out] == [
        ("jobs.yaml: p", "It is not a CronJob, but Pod.")
    ]


def test_the_command_reads_stdin_writes_a_file_and_tells_on_stderr(tmp_path):
    file = tmp_path / "jobs.yaml"

    ended = cronicorn("convert", "crontab", "-o", str(file), stdin=f"{HOUR}curl -u a:Hunter2 {URL}\n@reboot x\n")
    again = cronicorn("convert", "crontab", "-o", str(file), stdin=f"{HOUR}curl {URL}\n")
    nothing = cronicorn("convert", "kubernetes", stdin="kind: Pod\n")
    broken = cronicorn("convert", "kubernetes", stdin="{")
    store = environment(DATABASE_URL=f"sqlite:{tmp_path / 'store.db'}", API_KEY="a-key-for-tests-only")
    applied = [cronicorn("secret", "set", "stock-password", stdin="Hunter2", env=store)]
    applied += [cronicorn("apply", "-f", str(file), env=store) for _ in range(2)]

    assert (ended.code, ended.out) == (0, "")
    assert ended.err.splitlines()[-1] == "1 converted, 1 left out."
    assert "stdin:2: LEFT OUT." in ended.err
    assert (again.code, nothing.code, broken.code) == (5, 2, 2)
    assert applied[1].out.splitlines()[:2] == ["+ job crontab", "+ crontab/stock"], applied
    assert applied[2].out == "Nothing to do: 2 unchanged.\n"
