"""A training that takes seconds."""

from gradmap.policies.checkpoint import load_policy
from gradmap.training.settings import TrainingSettings
from scenarios.training.folder import read_history

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
