"""The whole journey in Firefox, in every language, with the script and without (in turns, but for the full attack).

Where no Firefox can be had these tests are not there; `make test` tries to install one.
"""

import os
from itertools import cycle, product
from pathlib import Path

import pytest

from enkat.model.survey import Role
from tests.journeys.firefox import PROGRAM, Firefox, firefox
from tests.journeys.people import Place, Stored, assert_one_answer

LANGUAGES = ["sv", "en", "fi", "ar", "fa", "so", "ti", "uk", "ckb", "pl"] if PROGRAM else []
WORDS = {"ar": "كان جيدًا", "fa": "خوب بود", "ckb": "باش بوو", "ti": "ጽቡቕ ነይሩ", "uk": "Було добре"}


EACH = list(product(LANGUAGES, (True, False)))
WALKS = EACH if os.environ.get("ENKAT_ATTACK") == "full" else list(zip(LANGUAGES, cycle((True, False)), strict=False))


@pytest.mark.parametrize(("language", "script"), WALKS)
def test_an_answer_is_given_in_firefox(place: Place, tmp_path: Path, language: str, script: bool) -> None:
    town, stored = place.town, Stored(place.town)
    meeting = town.meeting({Role.CHILD: 1})
    address = f"{place.server.settings.base_url}/{town.rooms(meeting)[Role.CHILD].key}"
    words = WORDS.get(language, "Bra")
    with firefox(tmp_path / "profile", language, script=script) as phone:
        phone.open(address)
        assert phone.see("[document.documentElement.lang, document.documentElement.dir]") == [
            language,
            town.house.languages[language].direction,
        ]
        assert phone.see("document.querySelectorAll('.steps').length") == int(script)
        answer(phone, words, script=script)
        phone.press("form button[type=submit]")
        phone.wait_for("document.getElementById('receipt') !== null")
        assert phone.see("document.documentElement.lang") == language
        assert phone.see("document.cookie + localStorage.length + sessionStorage.length") == "00"
    assert stored.numbers == (1, 1)
    items = [item.id for item in town.house.catalogue["child"].closed_items]
    assert len(items) == 6
    assert_one_answer(town, meeting, dict.fromkeys(items, "4"), words)
    assert stored.responses == 1


def answer(phone: Firefox, words: str, *, script: bool) -> None:
    """The fourth face on each question, and some words at the end; no side scrolling on the way."""
    for item in phone.see("[...document.querySelectorAll('fieldset.item')].map(one => one.id)"):
        phone.press(f"#{item} .option:nth-of-type(4)")
        assert phone.see(f"document.querySelector('#{item} input:checked').value") == "4"
        assert phone.see("document.scrollingElement.scrollWidth <= innerWidth")
        if script:
            phone.press(".steps .button:not(.quiet)")
    phone.press("textarea")
    phone.write(words)
