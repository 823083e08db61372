"""Distances between two solutions of the same situations, per node and per conductor."""

from __future__ import annotations

import numpy as np

from gradmap.feeder import ComplexArray, Feeder, FloatArray
from gradmap.reference import SolvedSituations

RATING_SHARE = 0.01
"""Currents below this share of the rating are compared with it, not with themselves. [-]"""
LEAST_FLOOR_A = 1e-3


def voltage_errors(
    ours: SolvedSituations, reference: SolvedSituations, *, feeder: Feeder
) -> FloatArray:
    """Return the distance between complex node voltages, [batch, node]. [pu].

    Of a bus without defined voltage to ground, what all its nodes have in common is left out; of
    nodes that no source reaches, everything.
    """
    nodes = feeder.nodes
    apart = ours.node_v_pu - reference.node_v_pu
    apart[:, nodes.energised & ~nodes.grounded] -= floating_means(apart, feeder=feeder)
    apart[:, ~nodes.energised] = 0.0
    return np.abs(apart)


def floating_means(apart: ComplexArray, *, feeder: Feeder) -> ComplexArray:
    """Return for every floating node the mean over the floating nodes of its bus, [batch, item]."""
    nodes = feeder.nodes
    items = np.flatnonzero(nodes.energised & ~nodes.grounded)
    buses = [nodes.node_ids[k].rpartition(".")[0] for k in items]
    first: dict[str, int] = {bus: k for k, bus in enumerate(dict.fromkeys(buses))}
    member = np.zeros((len(items), len(first)))
    member[np.arange(len(items)), [first[bus] for bus in buses]] = 1.0
    means: ComplexArray = apart[:, items] @ (member / member.sum(axis=0)) @ member.T
    return means


def current_errors(
    ours: SolvedSituations, reference: SolvedSituations, *, feeder: Feeder
) -> FloatArray:
    """Return errors of branch currents over max(|i|, 1 % of the rating), [batch, conductor].

    The rating holds at the first terminal, and at others by the ratio of the voltage bases; a
    branch without one takes its own largest current. The current of a neutral is a sum over the
    phases and no more exact than they are: its |i| is the largest of its terminal.
    """
    magnitude = np.abs(reference.branch_i_a)
    scale = np.full_like(magnitude, LEAST_FLOOR_A)
    kv = np.append(feeder.nodes.kv_base, 0.0)  # ground has no base
    is_phase = np.array(
        [name.endswith((".1", ".2", ".3")) for name in feeder.nodes.node_ids] + [False]
    )
    start = 0
    for branch in feeder.branches:
        terminals = branch.nodes.reshape(branch.n_terminals, -1)
        bases = kv[terminals].max(axis=1)
        own = np.nanmax(magnitude[:, start : start + len(branch.nodes)], initial=0.0)
        for nodes, base in zip(terminals, bases, strict=True):
            part = slice(start, start + len(nodes))
            rating = branch.normal_amps * bases[0] / base if base > 0.0 else branch.normal_amps
            floor = RATING_SHARE * (rating if branch.normal_amps > 0.0 else own)
            size = magnitude[:, part]
            size = np.where(is_phase[nodes], size, size.max(axis=1, keepdims=True))
            scale[:, part] = np.maximum(size, max(floor, LEAST_FLOOR_A))
            start += len(nodes)
    return np.abs(ours.branch_i_a - reference.branch_i_a) / scale
