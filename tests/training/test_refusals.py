"""What cannot be trained with is one clear error: which object, what to do."""

import os
import shutil
from dataclasses import replace

import pytest
import torch

from gradmap.errors import GradmapError, ScenarioError
from gradmap.training.trainer import Trainer
from gradmap.violations import Limits
from scenarios.case import open_case
from scenarios.cli.main import main
from scenarios.loading import dump_scenario
from scenarios.study.methods import evaluate_method
from scenarios.training.parent import FineTune
from scenarios.training.run import train
from tests.training.small import SETTINGS, interrupt_at, trainer_of, weights


def changed(scenario, **parts):
    """The scenario with settings of some parts replaced."""
    return scenario.model_copy(
        update={
            part: getattr(scenario, part).model_copy(update=settings)
            for part, settings in parts.items()
        }
    )


@pytest.mark.parametrize("name", ["price_export_per_kwh", "base_load_kw", "plugged_in"])
@pytest.mark.parametrize("split", ["pool", "validation"])
def test_series_with_nan_are_named_with_their_day(name, split):
    good = trainer_of()
    series = getattr(good.pool, name).clone()
    series[1].view(-1)[3] = float("nan")
    days = {"pool": good.pool, "validation": good.pool}
    days[split] = replace(good.pool, **{name: series})
    words = {"pool": "training", "validation": "validation"}[split]
    with pytest.raises(ScenarioError, match=f"`{name}` of {words} day 1 holds NaN"):
        Trainer(
            good.rollout, settings=good.settings, limits=Limits(), cost_scale=10.0, **days
        )  # fmt: skip


@pytest.mark.parametrize("method", ["proximal", "backprop"])
def test_policies_that_ran_away_are_called_so(method):
    trainer = trainer_of(method=method)
    trainer.step()
    with torch.no_grad():
        next(iter(trainer.progress.learners.networks.parameters())).fill_(float("nan"))
    with pytest.raises(GradmapError, match="Policies have broken: lower `learning_rate`"):
        list(trainer.run())


def test_a_feeder_that_collapses_is_refused_before_training(scenario, tmp_path):
    heavy = changed(scenario, population={"base_load_scale": 300.0})
    with pytest.raises(ScenarioError, match=r"collapses .* `population.base_load_scale`"):
        train(heavy, out=tmp_path / "out", settings=SETTINGS)
    assert not (tmp_path / "out" / "history.jsonl").exists()


def test_policies_of_another_network_or_other_devices_are_refused(scenario, trained, tmp_path):
    asked = FineTune(policy_folder=trained / "policy", agents=("h0001.heat_pump",))
    wider = changed(scenario, limits={"v_max_pu": 1.06})
    smaller = changed(scenario, population={"battery_scale": 5.0})
    for other, words in ((wider, "v_max_pu"), (smaller, "another device")):
        with pytest.raises(ScenarioError, match=words):
            train(other, out=tmp_path / "out", settings=SETTINGS, fine_tune=asked)
        with pytest.raises(ScenarioError, match=words):
            evaluate_method(open_case(other), f"policy:{trained / 'policy'}", n_days=1)
    assert not (tmp_path / "out").exists()


def test_limits_that_were_not_kept_are_told(scenario, tmp_path, capsys):
    tight = changed(scenario, limits={"v_min_pu": 0.9999, "v_max_pu": 1.0001})
    dump_scenario(tight, tmp_path / "tight.yaml")
    changes = [
        *("iterations=1", "batch_days=2", "pool_days=2", "processes=1", "epochs=1"),
        *("validate_every=1", "validation_days=2", "senses_voltage=false"),
    ]
    words = ["train", str(tmp_path / "tight.yaml"), "--out", str(tmp_path / "out"), "--quiet"]
    with pytest.raises(SystemExit) as ended:
        main([*words, "--test-days", "0", *(f"--set={change}" for change in changes)])
    assert ended.value.code == 0
    assert "on 2 of 2 validation days" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("processes", "words"),
    [
        (2, "`processes` is 2, expected 1"),
        pytest.param(
            1,
            "finds no CUDA device",
            marks=pytest.mark.skipif(torch.cuda.is_available(), reason="there is a CUDA device"),
        ),
    ],
)
def test_a_device_that_cannot_be_trained_on_is_refused(scenario, tmp_path, processes, words):
    settings = SETTINGS.updated({"processes": processes})
    with pytest.raises(ScenarioError, match=words):
        train(scenario, out=tmp_path / "out", settings=settings, device="cuda")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"validation_days": 201}, "`validation_days` is 201, expected at most the 200 days"),
        ({"pool_days": 2**29}, f"`pool_days` is {2**29}, expected at most"),
    ],
)
def test_more_days_than_there_are_are_refused(scenario, tmp_path, changes, words):
    with pytest.raises(ScenarioError, match=words):
        train(scenario, out=tmp_path / "out", settings=SETTINGS.updated(changes))
    assert not (tmp_path / "out").exists()


def refuse_to_draw(share):
    raise AssertionError("days were drawn")


def test_a_folder_that_cannot_be_made_is_refused_before_days_are_drawn(scenario, tmp_path):
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ScenarioError, match=r"file/out' cannot be made \(Not a directory\)"):
        train(scenario, out=tmp_path / "file" / "out", settings=SETTINGS, on_days=refuse_to_draw)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_folder_that_cannot_be_written_to_is_refused_before_days_are_drawn(scenario, tmp_path):
    (tmp_path / "out").mkdir(mode=0o500)
    with pytest.raises(ScenarioError, match="out' cannot be written to"):
        train(scenario, out=tmp_path / "out", settings=SETTINGS, on_days=refuse_to_draw)


def contents(folder):
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.mark.parametrize("kept", ["policy", "training.svg", "history.jsonl", "run.json"])
def test_results_without_progress_are_not_replaced(scenario, trained, tmp_path, kept):
    out = shutil.copytree(trained, tmp_path / "out")
    for path in list(out.iterdir()):
        if path.name != kept:
            shutil.rmtree(path) if path.is_dir() else path.unlink()
    before = contents(out)
    with pytest.raises(ScenarioError, match=rf"holds .*{kept}.* but no progress.*delete the"):
        train(scenario, out=out, settings=SETTINGS, on_days=refuse_to_draw)
    assert contents(out) == before


def test_progress_without_history_is_refused(scenario, trained, tmp_path):
    out = shutil.copytree(trained, tmp_path / "out")
    (out / "history.jsonl").unlink()
    before = contents(out)
    with pytest.raises(ScenarioError, match=r"holds progress.safetensors but no history.jsonl"):
        train(scenario, out=out, settings=SETTINGS, on_days=refuse_to_draw)
    assert contents(out) == before


def test_a_mere_beginning_begins_anew_beside_other_files(scenario, trained, tmp_path):
    (tmp_path / "thesis.tex").write_text("mine")
    with pytest.raises(KeyboardInterrupt):
        train(scenario, out=tmp_path, settings=SETTINGS, on_step=interrupt_at(1))
    train(scenario, out=tmp_path, settings=SETTINGS)
    wanted, found = weights(trained), weights(tmp_path)
    assert all(torch.equal(wanted[name], found[name]) for name in wanted)
    assert (tmp_path / "thesis.tex").read_text() == "mine"
