"""What lies open on a lock screen tells nobody what a message is about."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from enkat.model.neutral import says_too_much


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("Socialtjänsten i Mitthem", "socialtjänst"),
        ("SOCIALTJÄNSTEN", "socialtjänst"),
        ("socialtjanst.mitthem.example", "socialtjänst"),
        ("socialtjaenst.mitthem.example", "socialtjänst"),
        ("Individ- och familjeomsorgen", "familj"),
        ("Fosterfamiljen", "familj"),
        ("Mitthem barn och unga", "barn"),
        ("Barnets bästa", "barn"),
        ("Barnarp", "barn"),
        ("Ditt ärende", "ärende"),
        ("arende@mitthem.example", "ärende"),
        ("no-reply_arende@mitthem.example", "ärende"),
        ("Nätverksmöte på tisdag", "nätverksmöte"),
        ("natverksmote.example", "nätverksmöte"),
        ("naetverksmoete.example", "nätverksmöte"),
        ("Soc. Mitthem", "soc"),
        ("soc@mitthem.example", "soc"),
        ("IFO/SOC", "soc"),
        ("Orosanmälan", "orosanmälan"),
        ("orosanmalningar", "orosanmälan"),
        ("Barnavårdsutredning", "barn"),
        ("utredningen", "utredning"),
        ("LVU-omhändertagande", "omhändertag"),
        ("omhandertagen", "omhändertag"),
        ("Mitthem Social Services", "social service"),
        ("social-services.mitthem.example", "social service"),
        ("socialservices.example", "social service"),
        ("Your child's meeting", "child"),
        ("Children first", "child"),
        ("case 114", "case"),
        ("your caseworker", "case"),
        ("Two cases", "case"),
        ("the Family team", "family"),
        ("Families", "family"),
        ("network meeting", "network meeting"),
        ("Network\nMeetings", "network meeting"),
        # the first in the text, not in the table
        ("a case of socialtjänst", "case"),
        # what cannot be seen hides nothing
        ("bar\u00adn", "barn"),
        ("social\u200btjänst", "socialtjänst"),
        ("socialtja\u0308nst", "socialtjänst"),
        ("ｂａｒｎ", "barn"),
    ],
)
def test_a_word_that_tells_is_found(text: str, word: str) -> None:
    assert says_too_much(text) == word


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Mitthems kommun",
        "Några frågor om mötet",
        "svar@mitthem.example",
        "Only because we met",
        "A showcase, a suitcase and a staircase",
        "Casey",
        "Social hållbarhet",
        "sociala medier",
        "associate",
        "Lärande",
        "parenderad",
        "urbarning",
        "Fairchild",
        "familiar",
        "network of meetings",
        "Soča",
        "socker",
        "utreder",
        "Wibarne",
    ],
)
def test_a_word_that_tells_nothing_passes(text: str) -> None:
    assert says_too_much(text) is None


@given(st.text())
def test_any_text_can_be_looked_at(text: str) -> None:
    says_too_much(text)


@given(st.text(st.sampled_from("xyz -_.,0"), max_size=5), st.sampled_from([" ", "_", "-", "1", "@", "."]))
def test_a_word_is_found_wherever_it_stands(before: str, part: str) -> None:
    for word in ("socialtjänst", "barn", "ärende", "soc", "case", "network meeting"):
        assert says_too_much(f"{before}{part}{word}{part}x") == word
