"""PCG64 states of many `numpy.random.SeedSequence` keys at once.

Making a SeedSequence, a PCG64 and a Generator for one key takes 25 us, which for a thousand homes
and a hundred days is longer than all models together. Here the hash of SeedSequence runs over
arrays of keys, and one generator is moved from state to state. The numbers are those that numpy
gives; a test compares the two.

References:
    O'Neill, "Developing a seed_seq alternative", pcg-random.org, 2015, as in numpy's
    `bit_generator.pyx` (mix_entropy, generate_state) and `pcg64.c` (pcg64_srandom_r).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.random import PCG64, Generator
from numpy.typing import NDArray

Words = NDArray[np.uint32]

_POOL_WORDS = 4
_STATE_WORDS = 8
_XSHIFT = np.uint32(16)
_INIT_A, _MULT_A = 0x43B0D7E5, 0x931E8875
_INIT_B, _MULT_B = 0x8B51F9DD, 0x58F38DED
_MIX_LEFT, _MIX_RIGHT = np.uint32(0xCA01F9DD), np.uint32(0x4973F715)
_WORD = 2**32 - 1
_PCG_MULTIPLIER = 0x2360ED051FC65DA44385DF649FCCF645
_STATE_MASK = 2**128 - 1


class _Hash:
    """The hash of SeedSequence with its running constant, over arrays of words."""

    def __init__(self, start: int, multiplier: int) -> None:
        self._constant = start
        self._multiplier = multiplier

    def __call__(self, words: Words) -> Words:
        """Hash words; every call uses the next constant."""
        hashed = words ^ np.uint32(self._constant)
        self._constant = self._constant * self._multiplier & _WORD
        hashed *= np.uint32(self._constant)
        hashed ^= hashed >> _XSHIFT
        return hashed


def seed_states(keys: Words) -> Words:
    """Return what `SeedSequence(key).generate_state(8)` returns for every key.

    Args:
        keys: Words of the keys, at least four each. [key, word]

    Returns:
        State words. [key, 8]
    """
    hashed = _Hash(_INIT_A, _MULT_A)
    columns = list(np.ascontiguousarray(keys.T))
    pool = [hashed(column) for column in columns[:_POOL_WORDS]]
    for source in range(_POOL_WORDS):
        for target in range(_POOL_WORDS):
            if source != target:
                pool[target] = _mix(pool[target], hashed(pool[source]))
    for column in columns[_POOL_WORDS:]:
        for target in range(_POOL_WORDS):
            pool[target] = _mix(pool[target], hashed(column))
    drawn = _Hash(_INIT_B, _MULT_B)
    return np.stack([drawn(pool[k % _POOL_WORDS]) for k in range(_STATE_WORDS)], axis=1)


def generators(keys: Words) -> Iterator[Generator]:
    """Yield, key by key, a generator that stands where `PCG64(SeedSequence(key))` starts.

    It is one and the same object, moved on: use each before asking for the next.
    """
    # PCG64 takes 64-bit words, of which the first is the high one.
    halves = seed_states(keys).astype("<u4").view("<u8").tolist()
    bits = PCG64(0)
    source = Generator(bits)
    whole = bits.state
    for seed_high, seed_low, stream_high, stream_low in halves:
        increment = ((stream_high << 64 | stream_low) << 1 | 1) & _STATE_MASK
        state = (seed_high << 64 | seed_low) + increment
        state = (state * _PCG_MULTIPLIER + increment) & _STATE_MASK
        whole["state"] = {"state": state, "inc": increment}
        bits.state = whole
        yield source


def _mix(x: Words, y: Words) -> Words:
    mixed = x * _MIX_LEFT - y * _MIX_RIGHT
    mixed ^= mixed >> _XSHIFT
    return mixed
