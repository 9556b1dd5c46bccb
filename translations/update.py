"""Extract every text and bring the catalogues up to date: `make translations`.

There are three domains: what a participant meets, the questions, and the staff pages. A language is a folder with a
catalogue for each, `staff.po` only where the staff pages are to be had in it. To add a language, make its folder with
an empty LC_MESSAGES in it and run this. docs/translating.md says it all to translators.
"""

from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

from enkat.i18n.po import NOBODY, REVIEWED_BY, header

HERE = Path(__file__).parent
DOMAINS = ("participant", "questions", "staff")

#: Where the texts stand that participants meet. What stands elsewhere too is theirs all the same.
PARTICIPANTS = (
    "enkat/templates/participant/",
    "enkat/web/participant.py",
    "enkat/web/answer_form.py",
    "enkat/wording/participants.py",
)


def extract() -> dict[str, Catalog]:
    """All texts there are, by domain. Without line numbers, which would change with every edit."""
    with (HERE / "babel.cfg").open(encoding="utf-8") as mapping:
        methods, options = parse_mapping_cfg(mapping)
    domains = {domain: Catalog(fuzzy=False) for domain in DOMAINS}
    keywords = {**DEFAULT_KEYWORDS, "N_": None}
    found = list(extract_from_dir(HERE.parent, methods, options, keywords=keywords, directory_filter=_is_ours))
    for file, _line, message, _comments, context in sorted(found, key=lambda one: not one[0].startswith(PARTICIPANTS)):
        if file.startswith("questionnaires"):
            domains["questions"].add(message, context=context)
        elif file.startswith(PARTICIPANTS):
            domains["participant"].add(message, context=context)
        elif message not in domains["participant"]:
            domains["staff"].add(message, context=context)
    return domains


def update(folder: Path, templates: dict[str, Catalog]) -> None:
    """Bring one language's catalogues up to date: new texts are added empty, those no longer used go. What has new
    texts has not been reviewed as a whole any more."""
    language = folder.parent.name
    for domain, template in templates.items():
        file = folder / f"{domain}.po"
        if domain == "staff" and not file.exists():
            continue
        known = read_po(BytesIO(file.read_bytes() if file.exists() else b""), locale=language)
        reviewer = header(file, REVIEWED_BY) if file.exists() else ""
        has_new = any(message.id and known.get(message.id, message.context) is None for message in template)
        known.update(template, no_fuzzy_matching=True)
        said = {"Language": language, "Plural-Forms": known.plural_forms}
        write(file, known, said | {REVIEWED_BY: NOBODY if has_new else reviewer or NOBODY})


def write(file: Path, catalogue: Catalog, said: dict[str, str]) -> None:
    """Write a catalogue with a header of our own, for Babel keeps no line that it does not know."""
    lines = {"MIME-Version": "1.0", "Content-Type": "text/plain; charset=utf-8"} | said
    head = "".join(f'"{name}: {value}\\n"\n' for name, value in lines.items())
    body = BytesIO()
    write_po(body, catalogue, width=100, omit_header=True, ignore_obsolete=True, sort_output=True)
    file.write_bytes(f'msgid ""\nmsgstr ""\n{head}\n'.encode() + body.getvalue())


def _is_ours(folder: str) -> bool:
    return Path(folder).name not in {"build", "tests", "bench", "docs"} and not Path(folder).name.startswith(".")


if __name__ == "__main__":
    templates = extract()
    for domain, template in templates.items():
        write(HERE / f"{domain}.pot", template, {})
    for language in sorted(HERE.glob("*/LC_MESSAGES")):
        update(language, templates)
