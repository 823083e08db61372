"""Days that are drawn when a batch wants them are the days that memory would hold."""

import pytest
import torch

from gradmap.days import COMMON, HOUSEHOLD
from gradmap.errors import ScenarioError
from gradmap.training.day_pool import DayPool
from gradmap.training.fine_tuning import FineTuning
from gradmap.training.trainer import Trainer
from gradmap.violations import Limits
from tests.training.small import TRAINED, trainer_of

N_KEPT = 2


def drawing_of(days, asked=None):
    """Draws from days in memory, noting who was asked for."""

    def draw(numbers):
        if asked is not None:
            asked.extend(numbers)
        return days.take(numbers).to(dtype=torch.float64)

    return draw


@pytest.mark.parametrize("numbers", [[3, 0, 2, 1], [2, 3], [1, 0], [3, 3, 0]])
def test_a_batch_is_the_days_of_its_numbers_in_order(numbers):
    days, asked = trainer_of().pool, []
    kept = days.take(slice(0, N_KEPT))
    pool = DayPool(kept=kept, n_days=days.n_days, draw=drawing_of(days, asked))
    batch = pool.batch(torch.tensor(numbers))
    assert (batch.n_days, batch.n_steps) == (len(numbers), days.n_steps)
    assert asked == []
    found, wanted = batch.take(slice(1, None)), days.take(numbers[1:])
    assert asked == [number for number in numbers[1:] if number >= N_KEPT]
    for name in COMMON + HOUSEHOLD:
        series = getattr(wanted, name)
        assert torch.equal(getattr(found, name), series), name
        assert getattr(found, name).dtype == series.dtype


def further(trainer, *, n_kept=N_KEPT, draw=None, **settings):
    """The same trainer with its first days in memory only."""
    fine_tuning = FineTuning(policy=trainer.progress.policy, trained=TRAINED)
    return Trainer(
        trainer.rollout,
        settings=trainer.settings.updated({"network_response": False, **settings}),
        limits=Limits(v_min_pu=0.999, v_max_pu=1.0005),
        pool=trainer.pool.take(slice(0, n_kept)),
        validation=trainer.pool.take(slice(0, 1)),
        cost_scale=10.0,
        draw=draw,
        fine_tuning=fine_tuning,
    )


def test_training_is_the_same_wherever_its_days_come_from():
    whole, asked = trainer_of(), []
    in_memory = further(whole, n_kept=4, batch_days=3)
    drawn = further(whole, draw=drawing_of(whole.pool, asked), batch_days=3)
    for _ in range(3):
        assert drawn.step().value == in_memory.step().value
    assert set(asked) == {2, 3}
    assert torch.equal(drawn.progress.worst, in_memory.progress.worst)
    wanted = in_memory.present.state_dict()
    assert all(
        torch.equal(value, wanted[name]) for name, value in drawn.present.state_dict().items()
    )


def test_without_a_source_batches_are_of_the_days_in_memory():
    trainer = further(trainer_of(), batch_days=2)
    trainer.step()
    assert len(trainer.progress.worst) == N_KEPT


def test_a_drawn_day_with_nan_is_named():
    whole = trainer_of()
    broken = whole.pool.take(slice(None))
    broken.base_load_kw[3, 0, 0] = float("nan")
    trainer = further(whole, draw=drawing_of(broken))
    with pytest.raises(ScenarioError, match="`base_load_kw` of training day 3 holds NaN"):
        trainer.step()
