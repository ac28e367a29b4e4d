"""Ten recipes: what is answered, the policy that a person wrote, and how people and Germans would say it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Family:
    """One recipe. All its descriptions mean the same policy."""

    name: str
    policy: Document
    """Written by hand, in the language of policies."""
    values: Mapping[str, Sequence[Any]]
    """What random answers hold at each member; `~status` and `~retry_after` are HTTP's."""
    explicit: Sequence[tuple[str, str]]
    """Language and description; each names every threshold."""
    vague: Sequence[tuple[str, str]] = ()
    """The same meant, with less said."""
    siblings: Sequence[str] = field(default=())


def _number(name: str, **more: Any) -> Document:
    return {name: {"path": f"$.{name}", "type": "number", **more}}


def _rule(name: str, when: str, action: Document, **more: Any) -> Document:
    return {"id": name, "when": when, "action": action, **more}


FAMILIES = (
    Family(
        name="surge",
        policy={
            "fields": _number("error_rate_pct"),
            "rules": [_rule("surge", "error_rate_pct > 5", {"interval": "30s"}, until="error_rate_pct < 2")],
        },
        values={"error_rate_pct": (0.5, 1.5, 2.0, 3.5, 5.0, 5.5, 9.0)},
        explicit=(
            ("en", "Check every 30 seconds once error_rate_pct is above 5, until it is below 2."),
            ("en", "Error rate over 5 %: look each half minute, and keep doing so until it has fallen under 2 %."),
            ("en", "30 s interval while errors are high. High begins above 5 percent and ends below 2 percent."),
            ("de", "Sobald error_rate_pct über 5 liegt, alle 30 Sekunden prüfen, bis der Wert unter 2 fällt."),
            ("de", "Bei mehr als 5 % Fehlern halbminütlich nachsehen; erst unter 2 % wieder normal."),
        ),
        vague=(
            ("en", "Watch more closely when there are many errors."),
            ("de", "Bei vielen Fehlern genauer hinsehen."),
        ),
    ),
    Family(
        name="health-word",
        policy={
            "fields": {"status": {"path": "$.status", "type": "string"}},
            "rules": [_rule("unwell", "status in ['degraded', 'down']", {"interval": "30s"})],
        },
        values={"status": ("ok", "ok", "degraded", "down", "starting")},
        explicit=(
            ("en", "Every 30 s while status is degraded or down."),
            ("en", "If the status says degraded, or down, poll each 30 seconds; otherwise the usual interval."),
            ("en", "Half a minute between calls as long as status equals 'degraded' or 'down'. All else is normal."),
            ("de", "Solange status degraded oder down ist, alle 30 Sekunden abfragen."),
            ("de", "Meldet status degraded bzw. down: halbe Minute Abstand, sonst wie immer."),
        ),
        vague=(("en", "Hurry up while the service is unwell."),),
    ),
    Family(
        name="inverse-scaling",
        policy={
            "fields": _number("cpu_pct"),
            "rules": [
                _rule("busy", "cpu_pct > 50", {"interval": "10m"}, until="cpu_pct < 45", priority=1),
                _rule("hot", "cpu_pct > 80", {"interval": "20m"}, until="cpu_pct < 75", priority=2),
            ],
        },
        values={"cpu_pct": (10, 44, 47, 51, 60, 74, 77, 82, 95)},
        explicit=(
            ("en", "Above 50 % CPU every 10 minutes until below 45; above 80 % every 20 minutes until below 75."),
            ("en", "Back off under load: cpu_pct > 50 means 10 min (ends < 45), > 80 means 20 min (ends < 75)."),
            ("en", "10 minutes apart from cpu_pct over 50 on (back under 45), 20 minutes from over 80 on (under 75)."),
            ("de", "Über 50 % CPU alle 10 Minuten (bis unter 45), über 80 % alle 20 Minuten (bis unter 75)."),
            ("de", "cpu_pct größer 50: 10-Minuten-Takt bis kleiner 45. Größer 80: 20-Minuten-Takt bis kleiner 75."),
        ),
        vague=(("en", "Leave it alone when the machine is busy."),),
    ),
    Family(
        name="rate-limit",
        policy={
            "fields": {"code": {"http": "status"}},
            "rules": [_rule("limited", "code == 429", {"pause": "15m"}, cooldown="15m")],
        },
        values={"~status": (200, 200, 200, 429, 503)},
        explicit=(
            ("en", "Pause for 15 minutes whenever it answers 429."),
            ("en", "HTTP status 429 means stop calling for a quarter of an hour."),
            ("en", "Too many requests (429)? No calls for 15 min."),
            ("de", "Bei HTTP-Status 429 eine Viertelstunde pausieren."),
            ("de", "Antwortet der Server mit 429, 15 Minuten lang nicht aufrufen."),
        ),
    ),
    Family(
        name="idle",
        policy={
            "fields": _number("queued"),
            "rules": [_rule("idle", "queued == 0", {"interval": "30m"}, **{"for": 3, "probe": False})],
        },
        values={"queued": (0, 0, 0, 1, 7, 40)},
        explicit=(
            ("en", "Every half hour once the queue was empty three times in a row, without extra looks before."),
            ("en", "queued equal to 0 in 3 answers in a row: 30 min interval, until something is queued. No probes."),
            ("en", "When three answers in a row say queued = 0, relax to every 30 minutes. Don't probe meanwhile."),
            ("de", "Ist queued dreimal hintereinander 0, nur noch alle 30 Minuten. Ohne zusätzliche Proben davor."),
            ("de", "Nach drei leeren Antworten in Folge (queued = 0) halbstündlich, ohne Zwischenabfragen."),
        ),
        vague=(("de", "Wenn nichts los ist, seltener nachsehen."),),
    ),
    Family(
        name="recovery",
        policy={
            "fields": {"state": {"path": "$.state", "type": "string"}},
            "rules": [
                _rule("recover", "state == 'down'", {"run": "recover"}, **{"for": 2, "probe": False, "cooldown": "15m"})
            ],
        },
        values={"state": ("up", "up", "down", "down", "degraded")},
        explicit=(
            ("en", "Run recover after state has been down twice in a row, at most every 15 minutes. No probing."),
            ("en", "Two answers in a row with state 'down': run the sibling recover, 15 min cooldown, no probes."),
            ("en", "Call recover if it is down 2 times running; then not again for 15 minutes. No probes."),
            ("de", "Zweimal hintereinander down: recover ausführen, höchstens alle 15 Minuten, ohne Proben."),
            ("de", "Meldet state zweimal in Folge down, recover starten; 15 Minuten Sperrzeit, ohne Proben."),
        ),
        siblings=("recover", "report"),
    ),
    Family(
        name="confirmed-lag",
        policy={
            "fields": _number("lag_ms"),
            "rules": [
                _rule(
                    "lag", "lag_ms > 600", {"interval": "1m"},
                    **{"until": "lag_ms < 500", "for": 3, "until_for": 2, "probe": "1m"},
                )
            ],
        },
        values={"lag_ms": (300, 450, 499, 550, 599, 650, 900)},
        explicit=(
            ("en", "Each minute once lag_ms is over 600 three times running (probe each minute) till under 500 twice."),
            ("en", "lag_ms > 600 for 3 answers, confirmed by looking every minute: 1 min. Ends with 2 answers < 500."),
            ("en", "One-minute interval after three lags above 600 ms, checked at 1 min; two below 500 ms end it."),
            ("de", "Dreimal in Folge lag_ms über 600, minütlich nachgeprüft: jede Minute, bis zweimal unter 500."),
            ("de", "Minütlich nach drei Werten über 600 ms (Bestätigung jede Minute); zwei unter 500 ms beenden es."),
        ),
    ),
    Family(
        name="threshold-from-body",
        policy={
            "fields": {**_number("queued"), **_number("capacity")},
            "rules": [_rule("full", "queued > 0.8 * capacity", {"interval": "30s"}, until="queued < 0.5 * capacity")],
        },
        values={"queued": (0, 40, 49, 60, 79, 85, 120), "capacity": (100, 100, 100, 200)},
        explicit=(
            ("en", "Every 30 s while queued is over 80 % of capacity, until it is under half of it."),
            ("en", "More than four fifths of capacity queued: look each 30 seconds, until less than 50 % of it is."),
            ("en", "30 second interval from queued > 0.8 × capacity on, back when queued < 0.5 × capacity."),
            ("de", "Alle 30 s, sobald queued über 80 % von capacity liegt, bis es unter der Hälfte liegt."),
            ("de", "Mehr als vier Fünftel von capacity belegt: halbminütlich, bis weniger als 50 % belegt sind."),
        ),
    ),
    Family(
        name="maintenance",
        policy={
            "fields": {"mode": {"path": "$.mode", "type": "string"}},
            "rules": [_rule("maintenance", "mode == 'maintenance'", {"pause": "30m"}, cooldown="30m")],
        },
        values={"mode": ("normal", "normal", "maintenance", "readonly")},
        explicit=(
            ("en", "No calls for 30 minutes when mode is maintenance."),
            ("en", "mode 'maintenance': pause half an hour, and again if it still is one afterwards."),
            ("en", "Pause for 30 min while the service says mode = maintenance."),
            ("de", "Ist mode maintenance, 30 Minuten pausieren."),
            ("de", "Während der Wartung (mode = maintenance) jeweils eine halbe Stunde Pause."),
        ),
    ),
    Family(
        name="time-boxed",
        policy={
            "fields": {"deploying": {"path": "$.deploying", "type": "bool"}},
            "rules": [_rule("deploy", "deploying", {"interval": "1m", "ttl": "10m", "renew": False})],
        },
        values={"deploying": (True, True, True, False)},
        explicit=(
            ("en", "Every minute during the first ten minutes of a deployment (deploying is true), not longer."),
            ("en", "When deploying turns true: one-minute interval for 10 minutes, then back even if it goes on."),
            ("en", "1 min interval, time-boxed to ten minutes, from the moment deploying is true."),
            ("de", "In den ersten zehn Minuten eines Deployments (deploying) jede Minute, nicht länger."),
            ("de", "Ab deploying = true zehn Minuten lang minütlich, danach wie zuvor, auch wenn es andauert."),
        ),
    ),
)  # fmt: skip
