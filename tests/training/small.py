"""A training that takes seconds."""

from gradmap.policies.checkpoint import load_policy
from gradmap.policies.independent import Architecture, IndependentPolicies
from gradmap.training.fine_tuning import FineTuning
from gradmap.training.settings import TrainingSettings
from gradmap.training.trainer import Trainer
from gradmap.violations import Limits
from scenarios.training.folder import read_history
from tests.devices.populations import fleet_of
from tests.power_flow import circuits
from tests.rollout.homes_on_feeder import rollout_of, some_days

N_HOMES = 40
SETTINGS = TrainingSettings(
    iterations=6,
    batch_days=2,
    processes=1,
    senses_voltage=False,
    pool_days=4,
    epochs=2,
    validate_every=2,
    validation_days=3,
)
TRAINED = (1, 6, 12)
"""Agents whom `trainer_of` trains."""
CLOCK = {"seconds", "training_s", "validation_s"}
"""What no two trainings have in common."""


def weights(folder):
    """Tensors of the training folder's policy."""
    return load_policy(folder / "policy").policy.state_dict()


def numbers(folder):
    """The history without its times."""
    return [
        {name: value for name, value in row.items() if name not in CLOCK}
        for row in read_history(folder)
    ]


def interrupt_at(iteration):
    """To be called after every iteration: somebody stops the training after this one."""

    def interrupt(step):
        if step.report.iteration == iteration:
            raise KeyboardInterrupt

    return interrupt


def trainer_of(*, senses_voltage=False, fleet=None, fine_tuning=None, **settings):
    """A trainer of a few homes in tight limits; learners of known networks unless given."""
    fleet = fleet or fleet_of(4)
    rollout = rollout_of(fleet, circuits.ieee123(), observe_voltage=senses_voltage)
    days = some_days(fleet, n_steps=8, n_days=4, first_h=4.0, scale=3.0)
    architecture = Architecture(hidden=(6, 5), senses_voltage=senses_voltage)
    policy = IndependentPolicies.for_fleet(fleet, seed=1, architecture=architecture, days=days)
    return Trainer(
        rollout,
        settings=TrainingSettings(
            iterations=10, batch_days=4, pool_days=4, validate_every=4, validation_days=2
        ).updated(settings),
        limits=Limits(v_min_pu=0.999, v_max_pu=1.0005),
        pool=days,
        validation=days.take(slice(0, 2)),
        cost_scale=10.0,
        fine_tuning=fine_tuning or FineTuning(policy=policy, trained=TRAINED),
    )
