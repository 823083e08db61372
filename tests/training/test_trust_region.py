"""The trust region's radius: falling, or following the samples at its edge."""

from itertools import pairwise

import pytest

from gradmap.training.surrogate import adapted_radius
from scenarios.training.folder import read_history
from scenarios.training.run import train
from tests.training.small import SETTINGS, interrupt_at, numbers


@pytest.mark.parametrize(
    ("radius", "edge_share", "wanted"),
    [(0.2, 0.05, 0.22), (0.2, 0.3, 0.2), (0.2, 0.6, 0.18), (0.3, 0.0, 0.3), (0.01, 1.0, 0.01)],
)
def test_radius_grows_with_few_at_the_edge_shrinks_with_many_and_is_bounded(
    radius, edge_share, wanted
):
    assert adapted_radius(radius, edge_share=edge_share, first=0.1) == pytest.approx(wanted)


def test_radius_falls_unless_it_adapts(trained):
    radii = [row["radius"] for row in read_history(trained)]
    end = SETTINGS.trust_radius_end
    share = [k / SETTINGS.iterations for k in range(SETTINGS.iterations)]
    wanted = [SETTINGS.trust_radius * (1.0 + (end - 1.0) * s) for s in share]
    assert radii == pytest.approx(wanted)


def test_adaptive_radius_follows_the_edge_and_is_gone_on_with(scenario, tmp_path):
    settings = SETTINGS.updated({"trust_adapt": True, "trust_radius": 0.01, "iterations": 4})
    whole, out = tmp_path / "whole", tmp_path / "out"
    train(scenario, out=whole, settings=settings)
    rows = read_history(whole)
    for before, after in pairwise(rows):
        wanted = adapted_radius(before["radius"], edge_share=before["edge_share"], first=0.01)
        assert after["radius"] == wanted
    assert rows[-1]["radius"] != rows[0]["radius"] == 0.01

    with pytest.raises(KeyboardInterrupt):
        train(scenario, out=out, settings=settings, on_step=interrupt_at(3))
    train(scenario, out=out, settings=settings)
    assert numbers(out) == numbers(whole)
