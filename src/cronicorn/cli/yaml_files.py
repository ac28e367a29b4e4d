"""Several YAML files, and whole directories of them, read as one file of jobs."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from cronicorn.cli.yaml_file import YamlFile, read_yaml_file
from cronicorn.cli.yaml_folder import files_in
from cronicorn.domain.errors import FieldError, InvalidInputError

_KNOWN = ("set", "jobs", "alerts")


class YamlFiles:
    """The value that some files have together, and where each of its parts stands.

    Lists are put one after the other. What there is only one of, such as the name of the set, may stand in each file
    that says the same.
    """

    def __init__(self, files: Sequence[YamlFile], passed_over: Sequence[str] = ()) -> None:
        """Raises InvalidInputError for what has another shape, and for what two files say of one thing."""
        self._files = files
        self.passed_over = passed_over
        """The names of files beside them that say nothing of jobs or alerts."""
        self._places: dict[tuple[str, ...], list[tuple[YamlFile, int]]] = {}
        self._owners: dict[tuple[str, ...], YamlFile] = {}
        self._whole: dict[str, object] = {}
        for file in files:
            self._add(file)
        self._refuse_repeated()

    @property
    def value(self) -> object:
        """All that the files say; of a single file that, as it stands."""
        return self._files[0].value if len(self._files) == 1 else self._whole

    def located(self, found: FieldError) -> str:
        """*found* as a line for a person: file, line, field of that file and what is wrong."""
        file, pointer = self._place(found.pointer)
        return file.located(replace(found, pointer=pointer))

    def _place(self, pointer: str) -> tuple[YamlFile, str]:
        if len(self._files) == 1:
            return self._files[0], pointer
        parts = tuple(pointer.split("/")[1:])
        for length in (1, 2):
            places = self._places.get(parts[:length])
            if places is not None and len(parts) > length and parts[length].isdecimal():
                file, number = places[int(parts[length])]
                return file, "/" + "/".join((*parts[:length], str(number), *parts[length + 1 :]))
            if parts[:length] in self._owners:
                return self._owners[parts[:length]], pointer
        return self._files[0], pointer

    def _add(self, file: YamlFile) -> None:
        value = file.value
        if not isinstance(value, dict):
            what = "is empty" if value is None else "says something else"
            raise InvalidInputError(f"{file.name} {what}: it needs `jobs:`, a list of jobs with their endpoints.")
        if "endpoints" in value and "jobs" not in value:
            raise InvalidInputError(
                f"{file.name} lists endpoints of no job: put them under one, as in "
                "`jobs: [{name: shop, endpoints: [{name: stock, …}]}]`."
            )
        for name, part in value.items():
            if name == "alerts" and isinstance(part, dict):
                inside = self._whole.setdefault("alerts", {})
                assert isinstance(inside, dict)
                for of_alerts, each in part.items():
                    self._join(inside, ("alerts", str(of_alerts)), each, file)
            else:
                self._join(self._whole, (str(name),), part, file)

    def _join(self, whole: dict[str, object], path: tuple[str, ...], part: object, file: YamlFile) -> None:
        name = path[-1]
        there = whole.get(name)
        if isinstance(part, list) and isinstance(there, list | None):
            whole[name] = [*(there or []), *part]
            places = self._places.setdefault(path, [])
            places.extend((file, number) for number in range(len(part)))
        elif name in whole and there != part:
            earlier = self._owners.get(path, self._files[0]).name
            pointer = "/" + "/".join(path)
            raise InvalidInputError(
                file.located(FieldError(pointer=pointer, message=f"{earlier} says something else; say it in one file."))
            )
        else:
            whole[name] = part
            self._owners[path] = file

    def _refuse_repeated(self) -> None:
        """A job is listed in one file, so that one can find it."""
        jobs = self._whole.get("jobs")
        first: dict[object, tuple[YamlFile, int]] = {}
        for place, job in enumerate(jobs if isinstance(jobs, list) else ()):
            name = job.get("name") if isinstance(job, dict) else None
            file, number = self._places["jobs",][place]
            earlier, there = first.setdefault(name, (file, number)) if isinstance(name, str) else (file, number)
            if earlier is not file:
                where = f"{earlier.name}:{earlier.line_of(f'/jobs/{there}')}"
                message = f"The job {name} is listed in {where}, too: list a job in one file."
                raise InvalidInputError(file.located(FieldError(pointer=f"/jobs/{number}/name", message=message)))


def read_yaml_files(paths: Sequence[str]) -> YamlFiles:
    """Read the files at *paths*, `-` being stdin; of a directory those that `files_in` finds.

    There, what is no file of jobs is passed over: one that has none of the fields that such a file has. Raises
    NotFoundError or InvalidInputError.
    """
    files: list[YamlFile] = []
    passed_over: list[YamlFile] = []
    for path in paths:
        if path != "-" and Path(path).is_dir():
            for file in (read_yaml_file(str(each)) for each in files_in(Path(path))):
                (files if _about_jobs(file) else passed_over).append(file)
        else:
            files.append(read_yaml_file(path))
    if not files:
        raise InvalidInputError(f"There is no file with `jobs:` in {', '.join(paths)}; an empty list is `jobs: []`.")
    return YamlFiles(files, [each.name for each in passed_over])


def _about_jobs(file: YamlFile) -> bool:
    return not isinstance(file.value, dict) or any(name in file.value for name in _KNOWN)
