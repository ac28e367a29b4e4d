"""The simulator, in a process of its own for each scenario: none takes more than it is allowed, nor sees a secret."""

import asyncio
import json
import signal
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import timedelta

from cronicorn.domain.errors import FieldError, InvalidInputError, UnavailableError
from cronicorn.domain.simulation.ports import Simulator

COMMAND = (sys.executable, "-P", "-m", "cronicorn.sim.served")
ENDS_WITHIN = timedelta(seconds=60)
"""Far more than its processor time, for a machine that is busy with other things."""
_TOO_LONG = "It takes too long, or too much memory: make it shorter, or give it fewer endpoints or workers."
_TOO_MUCH = {-signal.SIGXCPU, -signal.SIGKILL, -signal.SIGABRT, -signal.SIGSEGV}
"""By these a process ends that is over its time, or out of memory where no exception can be made any more."""
_PLACE = "/scenario"


class SimulationProcess(Simulator):
    """Starts a process that ends with its answer."""

    def __init__(self, command: Sequence[str] = COMMAND) -> None:
        self._command = command

    async def simulate(self, scenario: Mapping[str, object], seed: int | None = None) -> Mapping[str, object]:
        code, told = await self._ended(json.dumps({"scenario": scenario, "seed": seed}).encode())
        if code in _TOO_MUCH:
            raise _refused([FieldError(pointer="", message=_TOO_LONG)])
        if code != 0:
            raise RuntimeError(f"The simulation ended with {code}.")
        answer = json.loads(told)
        if "faults" in answer:
            raise _refused([FieldError(pointer=each["pointer"], message=each["message"]) for each in answer["faults"]])
        history: Mapping[str, object] = answer["history"]
        return history

    async def _ended(self, asked: bytes) -> tuple[int, bytes]:
        """How a process that was *asked* so ended, and what it wrote. None is left, whatever happens here."""
        pipe = asyncio.subprocess.PIPE
        try:
            process = await asyncio.create_subprocess_exec(
                *self._command, stdin=pipe, stdout=pipe, env={}, start_new_session=True
            )
        except OSError as error:
            raise UnavailableError(f"There is no room for a simulation ({error.strerror}); try again later.") from error
        try:
            async with asyncio.timeout(ENDS_WITHIN.total_seconds()):
                told, _ = await process.communicate(asked)
        except TimeoutError:
            raise UnavailableError("The machine is too busy to end the simulation; try again later.") from None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        assert process.returncode is not None
        return process.returncode, told


def _refused(faults: list[FieldError]) -> InvalidInputError:
    placed = tuple(FieldError(pointer=_PLACE + fault.pointer, message=fault.message) for fault in faults)
    return InvalidInputError(
        "; ".join(f"{fault.pointer}: {fault.message}" for fault in placed[:3]), fields=placed[:100]
    )
