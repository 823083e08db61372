"""One federate as a process: configuration in, exit code, log and outcome file out."""

from __future__ import annotations

import json
import logging
import os
import time
from dataclasses import asdict
from pathlib import Path

import psutil

from federates.config import FederateConfig, read_federate_config
from federates.life_cycle import exit_with_parent, run_federate
from federates.registry import make_component
from gradmap.errors import GradmapError, ScenarioError

LOG = logging.getLogger(__name__)

EXIT_OK = 0
EXIT_FAILED = 1
EXIT_BAD_INPUT = 2


def main(config_path: Path | None, *, parent_pid: int | None = None) -> int:
    """Run the federate that a configuration file describes.

    Without a file, an OEDISI component's `static_inputs.json` and `input_mapping.json` are read
    from the working directory.

    Returns:
        0 when every step ran, 1 when the federation failed, 2 when the configuration is wrong.
    """
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    if parent_pid is not None:
        exit_with_parent(parent_pid)
    try:
        config = _read_config(config_path)
    except ScenarioError as exc:
        LOG.error("%s", exc)  # the message says it all
        return EXIT_BAD_INPUT
    return run(config)


def _read_config(config_path: Path | None) -> FederateConfig:
    if config_path is not None:
        return read_federate_config(config_path)
    from federates.oedisi import read_component_config  # noqa: PLC0415  only OEDISI needs it

    return read_component_config(Path.cwd())


def run(config: FederateConfig) -> int:
    """Run one federate; its outcome goes to `<log_folder>/<name>.json`, if a folder is given."""
    try:
        component = make_component(config)
        timings = run_federate(config, component, on_error=lambda exc: _note_error(config, exc))
    except Exception as exc:
        _note_error(config, exc)
        if isinstance(exc, GradmapError):
            LOG.error("%s", exc)  # written for people, no traceback needed
        else:
            LOG.exception("federate %s failed", config.name)
        return EXIT_FAILED
    rss_mb = psutil.Process().memory_info().rss / 1e6
    _write_outcome(config, {**asdict(timings), "rss_end_mb": rss_mb, "time": time.time()})
    LOG.info("finished %d steps", config.schedule.n_steps)
    return EXIT_OK


def _note_error(config: FederateConfig, exc: BaseException) -> None:
    """Leave the first error for the supervisor."""
    if config.log_folder is None or not _outcome_path(config.log_folder, config.name).exists():
        text = str(exc) if isinstance(exc, GradmapError) else f"{type(exc).__name__}: {exc}"
        _write_outcome(config, {"error": text, "time": time.time()})


def _outcome_path(log_folder: Path, name: str) -> Path:
    return log_folder / f"{name}.json"


def _write_outcome(config: FederateConfig, outcome: dict[str, object]) -> None:
    """Leave the outcome for the supervisor, whole or not at all."""
    if config.log_folder is None:
        return
    target = _outcome_path(config.log_folder, config.name)
    partial = target.with_suffix(f".{os.getpid()}.partial")
    partial.write_text(json.dumps(outcome, indent=1))
    partial.rename(target)
