"""Household solar inverters: kVA limit, volt-var and volt-watt curves, curtailment.

The sign rule holds here too: generation and injected vars are negative.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import final

import torch

from gradmap.errors import ScenarioError
from gradmap.types import HouseholdValues, PerHousehold


@dataclass(frozen=True, kw_only=True)
class VoltVarCurve:
    """Reactive power over voltage: injects below `v2_pu`, absorbs above `v3_pu`, linear between.

    Defaults are those of IEEE Std 1547-2018, Table 8 (voltage-reactive power settings), category B.
    """

    v1_pu: float = 0.92
    """At and below, full injection. [pu]"""
    v2_pu: float = 0.98
    """Start of the dead band. [pu]"""
    v3_pu: float = 1.02
    """End of the dead band. [pu]"""
    v4_pu: float = 1.08
    """At and above, full absorption. [pu]"""
    q_max_fraction: float = 0.44
    """Full injection and absorption over the rated apparent power. [-]"""
    full_from_fraction: float = 0.20
    """Available power over the rating that allows full vars; below it, in proportion. [-]

    IEEE Std 1547-2018, 5.2, asks for full capability from 20 % of the rating and for none below
    5 %; the line through zero is ours, so that vars vanish at night without a jump.
    """

    def __post_init__(self) -> None:
        """Refuse voltages out of order and fractions out of range."""
        ordered = 0.0 < self.v1_pu < self.v2_pu <= self.v3_pu < self.v4_pu
        if not (ordered and 0.0 <= self.q_max_fraction < 1.0 and self.full_from_fraction > 0.0):
            raise ScenarioError(
                f"Volt-var curve {self}: expected 0 < v1 < v2 <= v3 < v4, q_max_fraction in [0, 1) "
                f"and full_from_fraction > 0. Correct the curve."
            )

    def q_fraction(self, v_pu: HouseholdValues) -> HouseholdValues:
        """Return reactive over rated apparent power, positive absorbs [-]."""
        low = ((self.v2_pu - v_pu) / (self.v2_pu - self.v1_pu)).clamp(0.0, 1.0)
        high = ((v_pu - self.v3_pu) / (self.v4_pu - self.v3_pu)).clamp(0.0, 1.0)
        return self.q_max_fraction * (high - low)


@dataclass(frozen=True, kw_only=True)
class VoltWattCurve:
    """Highest active power over voltage: `p1_fraction` up to `v1_pu`, `p2_fraction` from `v2_pu`.

    Defaults are those of IEEE Std 1547-2018, Table 10 (voltage-active power settings), category B,
    where P2 is the lesser of 20 % of the rating and the least output; the latter is 0 for solar.
    """

    v1_pu: float = 1.06
    """Start of the reduction. [pu]"""
    v2_pu: float = 1.10
    """End of the reduction. [pu]"""
    p1_fraction: float = 1.0
    """Limit up to `v1_pu`, over the rating. [-]"""
    p2_fraction: float = 0.0
    """Limit from `v2_pu` on, over the rating; many studies take 0.2. [-]"""

    def __post_init__(self) -> None:
        """Refuse voltages and fractions out of order."""
        if not (0.0 < self.v1_pu < self.v2_pu and 0.0 <= self.p2_fraction <= self.p1_fraction <= 1):
            raise ScenarioError(
                f"Volt-watt curve {self}: expected 0 < v1 < v2 and 0 <= p2 <= p1 <= 1. "
                f"Correct the curve."
            )

    def p_fraction(self, v_pu: HouseholdValues) -> HouseholdValues:
        """Return the highest active power over the rating [-]."""
        share = ((v_pu - self.v1_pu) / (self.v2_pu - self.v1_pu)).clamp(0.0, 1.0)
        return torch.lerp(
            torch.full_like(share, self.p1_fraction),
            torch.full_like(share, self.p2_fraction),
            share,
        )


@dataclass(frozen=True, kw_only=True, eq=False)
class PvOutput:
    """What inverters deliver, [..., household]."""

    p_kw: HouseholdValues
    """Active power, <= 0. [kW]"""
    q_kvar: HouseholdValues
    """Reactive power, positive absorbs. [kvar]"""
    curtailed_kw: HouseholdValues
    """Available power that is not delivered, >= 0. [kW]"""


@final
@dataclass(frozen=True, kw_only=True, eq=False)
class PvInverters:
    """Solar inverters of all households; a household without one has rating 0.

    With a volt-var curve the vars have priority: active power yields so that p^2 + q^2 <= s^2. All
    limits are true minima with true gradients, because no agent requests this power.
    """

    household_ids: Sequence[str]
    """Whose inverters these are."""
    s_rated_kva: PerHousehold
    """Rated apparent power; also the rated active power. [kVA]"""
    volt_var: VoltVarCurve | None = field(default=None)
    """Absent: unity power factor, the standard's default mode."""
    volt_watt: VoltWattCurve | None = field(default=None)
    """Absent: no reduction at high voltage, the standard's default."""

    def __post_init__(self) -> None:
        """Refuse ratings that are negative or not finite, naming the household."""
        expected_shape = (len(self.household_ids),)
        if self.s_rated_kva.shape != expected_shape:
            raise ScenarioError(
                f"PV inverters: `s_rated_kva` has shape {tuple(self.s_rated_kva.shape)}, expected "
                f"{expected_shape}, one rating a household (0 without solar)."
            )
        wrong = ~(torch.isfinite(self.s_rated_kva) & (self.s_rated_kva >= 0.0))
        for position in torch.nonzero(wrong).flatten().tolist():
            raise ScenarioError(
                f"PV inverter of household {self.household_ids[position]!r}: `pv_inverter_kva` is "
                f"{self.s_rated_kva[position].item():g}, expected a finite number >= 0. "
                f"Write 0 for a household without solar."
            )

    def output(
        self,
        available_kw: HouseholdValues,
        *,
        v_pu: HouseholdValues,
        limit_kw: HouseholdValues | None = None,
    ) -> PvOutput:
        """Return delivered power at the given voltage.

        Args:
            available_kw: What the modules could deliver, >= 0. [kW]
            v_pu: Voltage of the household's connection. [pu]
            limit_kw: Curtailment: highest output, >= 0; none by default. [kW]
        """
        highest_kw = self.s_rated_kva.expand_as(available_kw)
        q_kvar = torch.zeros_like(available_kw)
        if self.volt_var is not None:
            full_from_kw = self.volt_var.full_from_fraction * self.s_rated_kva
            ready = (available_kw / full_from_kw.clamp(min=1e-9)).clamp(0.0, 1.0)
            q_fraction = self.volt_var.q_fraction(v_pu) * ready
            q_kvar = self.s_rated_kva * q_fraction
            highest_kw = self.s_rated_kva * torch.sqrt(1.0 - q_fraction.square())
        if self.volt_watt is not None:
            allowed_kw = self.s_rated_kva * self.volt_watt.p_fraction(v_pu)
            highest_kw = torch.minimum(highest_kw, allowed_kw)
        if limit_kw is not None:
            highest_kw = torch.minimum(highest_kw, limit_kw)
        delivered_kw = torch.minimum(available_kw, highest_kw)
        return PvOutput(p_kw=-delivered_kw, q_kvar=q_kvar, curtailed_kw=available_kw - delivered_kw)
