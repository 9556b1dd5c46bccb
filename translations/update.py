"""Extract every text and bring the catalogues up to date: `make translations`.

The interface's texts and the questions' go into a domain each; a language is a folder with both. To add a
language, make its folder with an empty LC_MESSAGES in it and run this.
"""

from io import BytesIO
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po, write_po

HERE = Path(__file__).parent
DOMAINS = ("messages", "questions")


def extract() -> dict[str, Catalog]:
    """All texts there are, by domain. Without line numbers, which would change with every edit."""
    with (HERE / "babel.cfg").open(encoding="utf-8") as mapping:
        methods, options = parse_mapping_cfg(mapping)
    domains = {domain: Catalog(fuzzy=False) for domain in DOMAINS}
    found = extract_from_dir(
        HERE.parent, methods, options, keywords={**DEFAULT_KEYWORDS, "N_": None}, directory_filter=_is_ours
    )
    for file, _line, message, _comments, context in found:
        domain = "questions" if file.startswith("questionnaires") else "messages"
        domains[domain].add(message, context=context)
    return domains


def update(folder: Path, templates: dict[str, Catalog]) -> None:
    """Bring one language's catalogues up to date: new texts are added empty, those no longer used go."""
    for domain, template in templates.items():
        file = folder / f"{domain}.po"
        known = file.read_bytes() if file.exists() else b""
        catalogue = read_po(BytesIO(known), locale=folder.parent.name)
        catalogue.update(template, no_fuzzy_matching=True)
        with file.open("wb") as written:
            write_po(written, catalogue, width=100, omit_header=True, ignore_obsolete=True, sort_output=True)


def _is_ours(folder: str) -> bool:
    return Path(folder).name not in {"build", "tests", "bench", "docs"} and not Path(folder).name.startswith(".")


if __name__ == "__main__":
    templates = extract()
    for language in sorted(HERE.glob("*/LC_MESSAGES")):
        update(language, templates)
