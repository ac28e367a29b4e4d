"""`cronicorn convert`: files of jobs out of what other schedulers run."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from cronicorn.cli.conversion.report import Conversion

app = typer.Typer(
    help="Make a file of jobs, to be reviewed and applied, of what another scheduler runs.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
_SYSTEM = ("/etc/crontab", "/etc/cron.d/")

OutputOption = Annotated[
    Path | None, typer.Option("--output", "-o", metavar="FILE.yaml", help="The file to make; stdout without it.")
]


@app.command("crontab")
def crontab(
    file: Annotated[str, typer.Argument(metavar="FILE", help="The crontab; - reads stdin, as of `crontab -l`.")] = "-",
    *,
    job: Annotated[str, typer.Option("--job", metavar="NAME", help="The job that gets the endpoints.")] = "crontab",
    zone: Annotated[
        str | None, typer.Option("--timezone", metavar="ZONE", help="The IANA zone of times without CRON_TZ.")
    ] = None,
    system: Annotated[
        bool, typer.Option("--system", help="A user stands before each command, as in /etc/crontab and /etc/cron.d.")
    ] = False,
    output: OutputOption = None,
) -> None:
    """Convert the lines of a crontab that call curl or wget; what differs in meaning is told on stderr.

    Credentials become references to secrets. Other lines, and what has no counterpart, are left out with the reason.

    Example: crontab -l | cronicorn convert crontab --timezone Europe/Berlin -o jobs.yaml
    """
    from cronicorn.cli.conversion.crontab import CrontabSource, converted_crontab
    from cronicorn.cli.yaml_file import read_text
    from cronicorn.wiring.timekeeping import cron, system_clock

    name, text = read_text(file)
    source = CrontabSource(name=name, text=text, job=job, zone=zone, system=system or file.startswith(_SYSTEM))
    _tell(converted_crontab(source, system_clock(), cron()), output)


@app.command("kubernetes")
def kubernetes(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Manifests; - reads stdin, as of `kubectl get`.")] = "-",
    *,
    output: OutputOption = None,
) -> None:
    """Convert CronJobs of Kubernetes that run curl or wget; what differs in meaning is told on stderr.

    A namespace becomes a job. Values from Secrets become references to secrets.

    Example: kubectl get cronjobs -A -o yaml | cronicorn convert kubernetes -o jobs.yaml
    """
    from cronicorn.cli.conversion.cron_jobs import converted_cron_jobs
    from cronicorn.cli.yaml_file import read_text
    from cronicorn.wiring.timekeeping import cron, system_clock

    name, text = read_text(file)
    _tell(converted_cron_jobs(name, text, system_clock(), cron()), output)


def _tell(conversion: "Conversion", output: Path | None) -> None:
    from cronicorn.cli.export import write_new
    from cronicorn.domain.errors import InvalidInputError

    for line in conversion.report():
        print(line, file=sys.stderr)
    if not conversion.converted:
        raise InvalidInputError(f"Nothing in {conversion.source} could be converted.")
    if output is None:
        sys.stdout.write(conversion.text())
    else:
        write_new(output, conversion.text())
