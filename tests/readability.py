"""How hard a Swedish text is to read: LIX, Björnsson's readability index (Läsbarhet, 1968).

Words a sentence, and of a hundred words those with more than six letters. Under 25 are children's books, 30-40
simple prose, over 60 is how authorities write.
"""

import re
from html.parser import HTMLParser

#: Tags within a sentence; every other one ends it, as a heading, a line of a list or a button does.
_INLINE = {"a", "b", "span", "bdi", "em", "strong", "small", "svg", "circle", "path", "i"}
_SILENT = {"style", "script", "title", "textarea"}

_WORD = re.compile(r"[^\W\d_]+(?:[-’'][^\W\d_]+)*|\d[\d .]*")


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.blocks = [""]
        self._silent = 0

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self._silent += tag in _SILENT
        self._break(tag, dict(attributes).get("class"))

    def handle_endtag(self, tag: str) -> None:
        self._silent -= tag in _SILENT
        self._break(tag, None)

    def _break(self, tag: str, kind: str | None) -> None:
        if tag not in _INLINE or kind == "count":
            self.blocks.append("")

    def handle_data(self, data: str) -> None:
        if not self._silent:
            self.blocks[-1] += data


def sentences_of_page(html: str) -> list[str]:
    """What stands on a page's main part, a sentence each; a block is a sentence at least."""
    reader = _Reader()
    reader.feed(re.search(r"<main.*</main>", html, re.DOTALL)[0].replace('<span class="count">', "<p>"))  # type: ignore[index]
    return [one for block in reader.blocks for one in sentences(block)]


def sentences(text: str) -> list[str]:
    """A text's sentences; a colon ends one too, as in Björnsson's count."""
    parts = re.split(r"(?<=[.!?:…])[”\"]?\s+", " ".join(text.split()))
    return [part for part in parts if _WORD.search(part)]


def lix(said: list[str]) -> float:
    """The index of some sentences."""
    words = [word for sentence in said for word in _WORD.findall(sentence)]
    long = sum(len(word.replace("-", "")) > 6 for word in words if not word[0].isdigit())
    return len(words) / len(said) + 100 * long / len(words)
