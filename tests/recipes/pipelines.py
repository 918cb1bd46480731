"""The commands in a pipeline of GitHub or GitLab, in objects of Kubernetes and in a pre-commit configuration."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import yaml


@dataclass(frozen=True)
class Job:
    """A script as the service runs it, on one of its machines."""

    script: str
    environment: tuple[tuple[str, str], ...] = ()


def jobs_of(text: str) -> list[Job]:
    """What the service would run, in order; a job on several machines on the first and on the last of them."""
    return [job for document in yaml.safe_load_all(text) for job in _jobs(document)]


def _jobs(document: Any) -> Iterator[Job]:
    match document:
        case {"repos": list(repositories)}:
            yield from (Job(hook["entry"]) for each in repositories for hook in each["hooks"] if "entry" in hook)
        case {"kind": str(), "spec": Mapping() as spec}:
            yield from _kubernetes(spec)
        case {"jobs": Mapping() as jobs}:
            for job in jobs.values():
                yield from _github(job)
        case Mapping():
            yield from (job for each in document.values() if isinstance(each, Mapping) for job in _gitlab(each))


def _kubernetes(spec: Mapping[str, Any]) -> Iterator[Job]:
    pod = spec["template"]["spec"]
    containers = [*pod.get("initContainers", ()), *pod.get("containers", ())]
    indexes = _ends(range(spec["completions"])) if spec.get("completionMode") == "Indexed" else [None]
    for index in indexes:
        variables = () if index is None else (("JOB_COMPLETION_INDEX", str(index)),)
        for each in containers:
            command = [*each.get("command", ()), *each.get("args", ())]
            if command:
                yield Job(shlex.join(command), variables)


def _github(job: Mapping[str, Any]) -> Iterator[Job]:
    script = "\n".join(step["run"] for step in job["steps"] if "run" in step)
    directory = job.get("defaults", {}).get("run", {}).get("working-directory")
    script = f"cd {directory}\n{script}" if directory else script
    matrix = job.get("strategy", {}).get("matrix", {})
    for name, values in matrix.items():
        for value in _ends(values):
            yield Job(re.sub(rf"\$\{{\{{ matrix\.{name} \}}\}}", str(value), script))
    if not matrix:
        yield Job(script)


def _gitlab(job: Mapping[str, Any]) -> Iterator[Job]:
    script = "\n".join([*job.get("before_script", ()), *job.get("script", ())])
    machines = job.get("parallel", 1)
    for number in _ends(range(1, machines + 1)):
        yield Job(script, (("CI_NODE_INDEX", str(number)), ("CI_NODE_TOTAL", str(machines))))


def _ends(values: Sequence[Any]) -> list[Any]:
    return [values[0], values[-1]] if len(values) > 1 else list(values)
