"""Score the rules extractor on the development templates; a script, not a test.

    python -m tests.hems.understanding.development_score --count 40

Every slot of drawn householders is asked once and, where the reply was unclear, once more. Replies
are not shown: how values are worded there is also how the held-out set words them.
"""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from dataclasses import dataclass, field

from federates.hems.parameters.slots import applicable, slot
from federates.hems.understanding.result import Understanding
from federates.hems.understanding.rules import understand
from federates.hems.users.agreement import agrees
from federates.hems.users.dialogue import Question, Reply
from federates.hems.users.grammar_user import GrammarUser
from federates.hems.users.persona import LEVELS, Persona, draw_persona
from federates.hems.users.templates import TEMPLATES_DIR, TemplateSet

YEAR = 2026
DEVELOPMENT = TEMPLATES_DIR / "development"


@dataclass
class Score:
    """Counts over replies; `found` and `wrong` count values, asked or not."""

    asked: int = 0
    at_once: int = 0
    in_two: int = 0
    declined: int = 0
    declined_right: int = 0
    found: int = 0
    wrong: int = 0
    misses: Counter[str] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)


def understood(persona: Persona, reply: Reply, *, key: str) -> Understanding:
    """Return what the extractor makes of a reply, with the answers so far known."""
    asked = slot(key)
    known = {k: v for k, v in persona.truth.items() if slot(k).order < asked.order}
    return understand(
        reply.text,
        asked=[asked],
        known=known,
        locale=persona.locale,
        currency=persona.currency,
        year=YEAR,
    )


def count_values(score: Score, got: Understanding, *, reply: Reply, key: str) -> None:
    """Count values that the reply did not say."""
    for finding in got.findings:
        score.found += 1
        said = reply.disclosed.get(finding.key)
        right = said is not None and agrees(
            slot(finding.key), finding.value, truth=said, hedged=finding.hedged
        )
        if not right:
            score.wrong += 1
            score.faults.append(f"{key}: {finding.key} = {finding.value!r}, said {said!r}")


def is_right(got: Understanding, *, reply: Reply, key: str) -> bool:
    """Return whether the asked slot has the value said."""
    finding = next((f for f in got.findings if f.key == key), None)
    said = reply.disclosed.get(key)
    if finding is None or said is None:
        return False
    return agrees(slot(key), finding.value, truth=said, hedged=finding.hedged)


def score_persona(score: Score, persona: Persona, *, templates: TemplateSet) -> None:
    """Ask a householder every slot that applies."""
    user = GrammarUser(persona, templates, seed=7)
    for key in sorted(persona.truth, key=lambda k: slot(k).order):
        if not applicable(slot(key), persona.truth):
            continue
        reply = user.answer(Question("ask", (key,)))
        got = understood(persona, reply, key=key)
        count_values(score, got, reply=reply, key=key)
        if key not in reply.disclosed:
            score.declined += 1
            score.declined_right += not any(f.key == key for f in got.findings)
            continue
        score.asked += 1
        if is_right(got, reply=reply, key=key):
            score.at_once += 1
            score.in_two += 1
            continue
        score.misses[f"{slot(key).kind.value} {key} {_state(got, key)}"] += 1
        if any(f.key == key for f in got.findings):
            continue
        again = user.answer(Question("clarify", (key,)))
        got = understood(persona, again, key=key)
        count_values(score, got, reply=again, key=key)
        score.in_two += is_right(got, reply=again, key=key)


def _state(got: Understanding, key: str) -> str:
    if any(f.key == key for f in got.findings):
        return "wrong"
    doubt = next((a for a in got.ambiguous if a.key == key), None)
    if doubt is not None:
        return "ambiguous"
    declined = key in (*got.unknown, *got.refused, *got.absent)
    return "declined" if declined else f"silent ({got.intent.value})"


def main() -> None:
    """Print the scores by level."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=40, help="householders of each level")
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--show", type=int, default=0, help="most frequent misses and faults")
    args = parser.parse_args()
    templates = TemplateSet.load(DEVELOPMENT)
    for level in LEVELS:
        score = Score()
        for index in range(args.count):
            persona = draw_persona(args.seed, index, level=level)
            score_persona(score, persona, templates=templates)
        sys.stdout.write(
            f"{level:9} n={score.asked} at once {score.at_once / score.asked:.1%} "
            f"in two {score.in_two / score.asked:.1%} "
            f"wrong {score.wrong}/{score.found} = {score.wrong / max(score.found, 1):.2%} "
            f"declined {score.declined_right}/{score.declined}\n"
        )
        for line, times in score.misses.most_common(args.show):
            sys.stdout.write(f"   {times:3} {line}\n")
        for line in score.faults[: args.show]:
            sys.stdout.write(f"   wrong: {line}\n")


if __name__ == "__main__":
    main()
