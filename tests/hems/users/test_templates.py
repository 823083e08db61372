from collections import defaultdict

import numpy as np
import pytest

from federates.hems.parameters.slots import SlotKind, applicable_slots
from federates.hems.parameters.stored import checked
from federates.hems.users.agreement import agrees
from federates.hems.users.persona import draw_persona
from federates.hems.users.realisers.base import Setting
from federates.hems.users.realisers.registry import REALISERS, serves
from federates.hems.users.speaker import Speaker
from federates.hems.users.template_file import ASKED, LEVELS, LOCALES, placeholders
from federates.hems.users.templates import TEMPLATES_DIR, TemplateSet
from gradmap.errors import ScenarioError

MIN_FORMS = 12


@pytest.fixture(scope="module")
def held_out():
    return TemplateSet.load()


@pytest.fixture(scope="module", params=["held_out", "held_out_2"])
def either(request):
    return TemplateSet.load(TEMPLATES_DIR / request.param)


@pytest.fixture(scope="module")
def examples():
    """For each slot values with a persona who has them, in every place."""
    found = defaultdict(dict)
    for index in range(150):
        persona = draw_persona(11, index)
        for key, value in persona.truth.items():
            found[key].setdefault((persona.locale, str(value)), (persona, value))
    return found


def test_every_slot_has_forms_that_stand_alone_at_every_level(either):
    missing = [
        (item.key, level, locale)
        for item in ASKED
        for level in LEVELS
        for locale in LOCALES
        if not any(t.standalone for t in either.about("answer", item, level=level, locale=locale))
    ]
    assert missing == []


@pytest.mark.parametrize("kind", list(SlotKind))
@pytest.mark.parametrize("level", LEVELS)
def test_at_least_twelve_forms_for_each_kind_and_level(held_out, kind, level):
    for locale in LOCALES:
        forms = {
            template.form
            for template in held_out
            if template.act == "answer"
            and kind in template.kinds
            and level in template.levels
            and locale in template.locales
        }
        assert len(forms) >= MIN_FORMS, locale


def test_every_form_renders_for_every_slot_it_claims(either, examples):
    unrendered = []
    for template in either:
        if template.act != "answer":
            continue
        for item in ASKED:
            if not any(
                template.fits(item, level=level, locale=locale)
                for level in template.levels
                for locale in template.locales
            ):
                continue
            if not _renders(template, item, either, examples[item.key]):
                unrendered.append((template.source, template.form, item.key))
    assert unrendered == []


def _renders(template, item, held_out, cases):
    """Whether some householder can say some value of theirs, or a made-up one, by the form."""
    if template.values is not None and not template.realisers:
        value = template.values[0]
        return checked(item.key, value) is not None
    for persona, value in cases.values():
        if persona.locale not in template.locales:
            continue
        setting = Setting(
            slot=item.key,
            kind=item.kind,
            locale=persona.locale,
            currency=persona.currency,
            level=template.levels[0],
            truth=persona.truth,
            rng=np.random.default_rng(0),
        )
        for name in template.realisers:
            said = REALISERS[name].say(value, setting)
            if said is not None and agrees(
                item, checked(item.key, said.value), truth=value, hedged=said.vague
            ):
                return bool(template.form.format(value=said.text, device="car"))
    return False


@pytest.mark.parametrize("name", REALISERS)
def test_realisers_say_stored_values_near_the_truth(name, examples):
    """Every realiser speaks for some slot, and mostly within the tolerance."""
    near, said_at_all = 0, 0
    for item in ASKED:
        if not serves(REALISERS[name], slot=item.key, kind=item.kind):
            continue
        for persona, value in list(examples[item.key].values())[:40]:
            rng = np.random.default_rng(said_at_all)
            setting = Setting(
                item.key, item.kind, persona.locale, persona.currency, "ordinary",
                persona.truth, rng,
            )  # fmt: skip
            said = REALISERS[name].say(value, setting)
            if said is None:
                continue
            said_at_all += 1
            assert said.text == said.text.strip()
            assert "{" not in said.text
            try:
                stored = checked(item.key, said.value)
            except ScenarioError:
                continue
            near += agrees(item, stored, truth=value, hedged=said.vague)
    assert near > 0


def test_wrappers_keep_the_answer(either):
    for template in either:
        if template.act in {"hedge", "aside", "greet", "again", "correct", "repair_later"}:
            assert placeholders(template.form) == {"answer"}, template.form


def test_all_that_applies_can_be_said_by_everyone(either):
    for index in range(20):
        for level in LEVELS:
            persona = draw_persona(5, index, level=level)
            speaker = Speaker(persona, either, rng=np.random.default_rng(index))
            for item in applicable_slots(persona.truth):
                if item.key in persona.truth:
                    assert speaker.says(item.key, standalone=True).text
                    assert speaker.says(item.key, clear=True).hedged == frozenset()


GOOD = """
format: 1
templates:
  - {slots: [battery.capacity_kwh], realisers: [kwh], forms: ["the battery has {value}"]}
"""


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (("[kwh]", "[kilojoule]"), "no realiser 'kilojoule'"),
        (("[kwh]", "[kw]"), "cannot say battery.capacity_kwh"),
        (("battery.capacity_kwh", "battery.colour"), "no slot that is asked"),
        (("{value}", "{amount}"), "amount"),
        (("the battery has {value}", "it is large"), "needs either"),
        (("forms:", "levels: [genius], forms:"), "genius"),
        (("forms:", "mood: grumpy, forms:"), "mood"),
        (("forms:", "act: shout, forms:"), "shout"),
        (("format: 1", "format: 2"), "format 2"),
    ],
)
def test_wrong_templates_are_refused(tmp_path, change, message):
    (tmp_path / "a.yaml").write_text(GOOD.replace(*change))
    with pytest.raises(ScenarioError, match=message):
        TemplateSet.load(tmp_path)


def test_a_folder_that_does_not_cover_everything_is_refused(tmp_path):
    with pytest.raises(ScenarioError, match="no template files"):
        TemplateSet.load(tmp_path)
    (tmp_path / "a.yaml").write_text(GOOD)
    with pytest.raises(ScenarioError, match=r"no form for household\.occupants"):
        TemplateSet.load(tmp_path)


def test_a_choice_that_does_not_exist_is_refused(tmp_path):
    text = "format: 1\ntemplates:\n  - {slots: [heating.emitter], values: [lava], forms: [warm]}\n"
    (tmp_path / "a.yaml").write_text(text)
    with pytest.raises(ScenarioError, match="'lava' is no choice"):
        TemplateSet.load(tmp_path)
