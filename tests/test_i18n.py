"""Languages: which one somebody gets, which are offered, how dates are said, and that no catalogue lags behind."""

import importlib.util
import re
from datetime import date
from functools import cache
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.pofile import read_po
from hypothesis import given, settings
from hypothesis import strategies as st

from enkat import catalogue, i18n
from enkat.catalogue import context
from enkat.i18n import Languages
from enkat.model.errors import CatalogueError
from enkat.model.survey import Questionnaire
from tests.inspection import InspectingClient, Page

TRANSLATIONS = Path(__file__).parents[1] / "translations"
LANGUAGES = sorted(folder.parent.name for folder in TRANSLATIONS.glob("*/LC_MESSAGES"))
DAY = date(2026, 11, 20)

INSTALLED = i18n.load()
ADULT = catalogue.load()["adult"]
TEXTS = {context(ADULT, key): text for key, text in ADULT.texts().items()}


def po(entries: dict[tuple[str | None, str], str], fuzzy: str | None = None) -> str:
    """A catalogue as a translator saves it: (context, text) -> translation; one entry may be fuzzy."""
    written = ['msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n']
    for (where, text), said in entries.items():
        mark = "#, fuzzy\n" if where is not None and where == fuzzy else ""
        place = f'msgctxt "{where}"\n' if where else ""
        written.append(f'{mark}{place}msgid "{text}"\nmsgstr "{said}"\n')
    return "\n".join(written)


def questions(form: Questionnaire = ADULT, but: str | None = None) -> dict[tuple[str | None, str], str]:
    """Every text of a form translated, one excepted."""
    return {
        (context(form, key), text): "" if context(form, key) == but else f"<{key}>"
        for key, text in form.texts().items()
    }


def languages(folder: Path, **catalogues: str) -> Languages:
    """Languages of a folder with these questions.po, and one interface message each."""
    for language, text in catalogues.items():
        place = folder / language / "LC_MESSAGES"
        place.mkdir(parents=True)
        (place / "messages.po").write_text(po({(None, "Skicka"): f"<{language}>"}), encoding="utf-8")
        (place / "questions.po").write_text(text, encoding="utf-8")
    return i18n.load(folder)


def offered(found: Languages) -> list[str]:
    return [translator.language for translator in found.offering(TEXTS)]


@pytest.mark.parametrize(
    ("wishes", "among", "language"),
    [
        (["fa-AF", "sv"], {"sv", "en"}, "sv"),
        (["fa-AF", "sv"], {"sv", "en", "fa"}, "fa"),
        (["fa-AF", "en-GB", "sv"], {"sv", "en"}, "en"),
        (["en-US"], {"sv", "en"}, "en"),
        (["sv-FI"], {"sv", "en"}, "sv"),
        (["EN-us"], {"sv", "en"}, "en"),
        (["so"], {"sv", "en"}, "sv"),
        (["en"], {"sv"}, "sv"),
        ([], {"sv", "en"}, "sv"),
        (["", "*", "x-@@", "---", "🙂", "a" * 5000], {"sv", "en"}, "sv"),
        (["*", "en"], {"sv", "en"}, "en"),
        (["pt-BR"], {"sv", "pt_BR"}, "pt_BR"),
        (["pt-br"], {"sv", "pt_BR"}, "pt_BR"),
        (["sr-latn-rs", "sr-Latn"], {"sv", "sr_Latn"}, "sr_Latn"),
    ],
)
def test_people_get_the_first_language_of_theirs_that_there_is(
    wishes: list[str], among: set[str], language: str
) -> None:
    assert i18n.load().negotiate(wishes, among) == language


WISH = st.one_of(st.sampled_from(["sv-SE", "EN", "Fa-AF", "pt-br", "ar-001", "iw", "no"]), st.text(max_size=12))


@given(wishes=st.lists(WISH, max_size=5), among=st.sets(st.sampled_from(["sv", "en", "fa", "pt_BR", "he", "nb"])))
@settings(deadline=None, max_examples=200)
def test_nobody_gets_a_language_that_is_not_on_offer(wishes: list[str], among: set[str]) -> None:
    """It would be a page that nothing can write."""
    assert INSTALLED.negotiate(wishes, among) in among | {"sv"}


@pytest.mark.parametrize(
    ("header", "language"),
    [
        ("fa-AF, sv;q=0.5", "sv"),
        ("fa-AF, en;q=0.7, sv;q=0.5", "en"),
        ("sv;q=0.5, en-US;q=0.9", "en"),
        ("EN", "en"),
        ("SV-SE", "sv"),
        ("ti, so;q=0.5", "sv"),
        ("", "sv"),
        (";;,q=,=*", "sv"),
    ],
)
def test_a_phone_is_answered_in_its_own_language(participant: InspectingClient, header: str, language: str) -> None:
    page = Page(participant.get("/", headers={"Accept-Language": header}).text)
    assert page.all("html")[0]["lang"] == language


def test_a_language_that_has_every_question_is_offered(tmp_path: Path) -> None:
    found = languages(tmp_path, ar=po(questions()), uk=po(questions()))
    assert offered(found) == ["sv", "ar", "uk"]
    assert "ar" in found
    assert "fa" not in found
    assert found["ar"].question("adult.useful", ADULT.texts()["useful"]) == "<useful>"
    assert found["ar"].interface.gettext("Skicka") == "<ar>"


@pytest.mark.parametrize("lacking", TEXTS)
def test_a_language_with_one_question_missing_is_not_offered(tmp_path: Path, lacking: str) -> None:
    found = languages(tmp_path, ar=po(questions(but=lacking)), uk=po(questions()))
    assert offered(found) == ["sv", "uk"]
    assert found.missing_questions("ar", TEXTS) == [lacking]
    assert found.missing_questions("uk", TEXTS) == found.missing_questions("sv", TEXTS) == []


def test_a_translation_that_nobody_has_looked_at_again_is_not_offered(tmp_path: Path) -> None:
    found = languages(tmp_path, ar=po(questions(), fuzzy="adult.useful"))
    assert offered(found) == ["sv"]
    assert found.missing_questions("ar", TEXTS) == ["adult.useful"]


def test_a_question_that_has_been_reworded_takes_its_old_translation_out_of_use(tmp_path: Path) -> None:
    found = languages(tmp_path, ar=po(questions()))
    reworded = TEXTS | {"adult.useful": "Mötet gjorde nytta."}
    assert found.missing_questions("ar", reworded) == ["adult.useful"]
    assert [one.language for one in found.offering(reworded)] == ["sv"]


def test_the_same_words_in_another_questionnaire_are_another_question(tmp_path: Path) -> None:
    found = languages(tmp_path, ar=po(questions()))
    child = catalogue.load()["child"]
    missing = found.missing_questions("ar", {context(child, key): text for key, text in child.texts().items()})
    assert missing == [context(child, key) for key in child.texts()]


def test_a_message_of_the_interface_that_is_missing_is_named(tmp_path: Path) -> None:
    found = languages(tmp_path, ar=po(questions()))
    assert found.missing_messages("ar", ["Skicka", "Tack"]) == ["Tack"]
    assert found.missing_messages("sv", ["Skicka", "Tack"]) == []


@pytest.mark.parametrize(
    ("language", "direction", "name"),
    [
        ("sv", "ltr", "Svenska"),
        ("ar", "rtl", "العربية"),
        ("fa", "rtl", "فارسی"),
        ("ckb", "rtl", None),
        ("uk", "ltr", "Українська"),
    ],
)
def test_a_language_knows_its_direction_and_its_own_name(
    tmp_path: Path, language: str, direction: str, name: str | None
) -> None:
    found = languages(tmp_path, **({language: po({})} if language != "sv" else {"en": po({})}))
    assert found[language].direction == direction
    if name:
        assert found[language].name == name


@pytest.mark.parametrize(
    ("language", "day", "weekday", "full"),
    [
        ("sv", "20 november", "fredag 20 november", "20 november 2026"),
        ("en", "20 November", "Friday 20 November", "20 November 2026"),
    ],
)
def test_a_day_is_said_as_people_say_it(language: str, day: str, weekday: str, full: str) -> None:
    said = i18n.load()[language]
    assert (said.day(DAY), said.day(DAY, weekday=True), said.full_day(DAY)) == (day, weekday, full)


BROKEN = {
    "half merged": b'<<<<<<< HEAD\nmsgid "Skicka"\nmsgstr "x"\n=======\n',
    "a line on its own": b'"Skicka"\n',
    "not UTF-8": b'msgid ""\nmsgstr "Content-Type: text/plain; charset=utf-8\\n"\n\nmsgid "a"\nmsgstr "\xff\xfe"\n',
    "not a catalogue": b"Hello!\n",
}


@pytest.mark.parametrize("file", ["messages.po", "questions.po"])
@pytest.mark.parametrize("content", BROKEN.values(), ids=BROKEN.keys())
def test_a_catalogue_that_cannot_be_read_is_named(tmp_path: Path, file: str, content: bytes) -> None:
    languages(tmp_path, ar=po(questions()), uk=po(questions()))
    (tmp_path / "uk" / "LC_MESSAGES" / file).write_bytes(content)
    with pytest.raises(CatalogueError) as error:
        i18n.load(tmp_path)
    [fault] = error.value.faults
    assert fault.startswith(f"uk: {file} cannot be read: ")


@pytest.mark.parametrize("file", ["messages.po", "questions.po"])
def test_a_catalogue_that_is_missing_is_named(tmp_path: Path, file: str) -> None:
    languages(tmp_path, ar=po(questions()))
    (tmp_path / "ar" / "LC_MESSAGES" / file).unlink()
    with pytest.raises(CatalogueError, match=f"^ar: {file} cannot be read: "):
        i18n.load(tmp_path)


def test_a_folder_that_is_no_language_is_named(tmp_path: Path) -> None:
    with pytest.raises(CatalogueError, match=r"^klingon: messages\.po cannot be read: "):
        languages(tmp_path, klingon=po({}))


@cache
def extractor() -> ModuleType:
    """`make translations`, without its writing."""
    spec = importlib.util.spec_from_file_location("update_translations", TRANSLATIONS / "update.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def extracted() -> dict[str, Catalog]:
    return extractor().extract()


@cache
def held(language: str, domain: str) -> Catalog:
    with (TRANSLATIONS / language / "LC_MESSAGES" / f"{domain}.po").open("rb") as file:
        return read_po(file, locale=language)


def messages(catalog: Catalog) -> dict[tuple[str | None, str | tuple[str, ...]], Message]:
    return {
        (one.context, tuple(one.id) if isinstance(one.id, list | tuple) else one.id): one for one in catalog if one.id
    }


DOMAINS = ("messages", "questions")


def test_the_extraction_finds_what_people_read() -> None:
    """Otherwise an empty extraction would agree with empty catalogues."""
    assert (None, "Svara på minst en fråga.") in messages(extracted()["messages"]), "in Python"
    assert (None, "Skicka") in messages(extracted()["messages"]), "in a template"
    assert (None, "Nätverksmöte") in messages(extracted()["messages"]), "in a table of words"
    every = {(context(form, key), text) for form in catalogue.load() for key, text in form.texts().items()}
    assert set(messages(extracted()["questions"])) == every


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("domain", DOMAINS)
def test_the_catalogues_are_fresh(language: str, domain: str) -> None:
    there, due = set(messages(held(language, domain))), set(messages(extracted()[domain]))
    new, gone = due - there, there - due
    assert new == set(), "run `make translations` and translate what is new"
    assert gone == set(), "run `make translations`, which removes what is gone"


@pytest.mark.parametrize("domain", DOMAINS)
def test_english_is_complete(domain: str) -> None:
    empty = [
        key
        for key, message in messages(held("en", domain)).items()
        if message.fuzzy or not (all(message.string) if isinstance(message.string, tuple | list) else message.string)
    ]
    assert not empty, f"{len(empty)} texts have no English"


def test_every_questionnaire_is_offered_in_english() -> None:
    found = i18n.load()
    for form in catalogue.load():
        texts = {context(form, key): text for key, text in form.texts().items()}
        assert [one.language for one in found.offering(texts)][:2] == ["sv", "en"], form.id


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("domain", DOMAINS)
def test_a_translation_names_the_same_things_as_its_source(language: str, domain: str) -> None:
    """A lost `%(answered)s` would be a page that fails in one language only."""

    def named(text: str) -> list[str]:
        return sorted(re.findall(r"%(?:\(\w+\))?[sd%]", text))

    wrong = []
    for (_where, source), message in messages(held(language, domain)).items():
        wanted = {tuple(named(text)) for text in ([source] if isinstance(source, str) else source)}
        said = message.string if isinstance(message.string, tuple | list) else [message.string]
        wrong += [text for text in said if text and tuple(named(text)) not in wanted]
    assert not wrong
