"""A municipality's logo: an SVG from anybody's drawing program, cleaned down to its shapes.

What stays is listed, everything else goes: scripts, handlers, links, fonts, pictures, foreign markup, and whatever
would be fetched from elsewhere. Styles become attributes, for the pages' policy allows no others.
"""

import gzip
import re
from collections.abc import Iterator, Mapping
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

from markupsafe import Markup

#: As sent; every participant's page carries the logo, and the whole of it has to stay under 10 kB.
MOST_BYTES = 2500

_SVG = "{http://www.w3.org/2000/svg}"


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_SHAPES = _words(
    """svg g defs path rect circle ellipse line polyline polygon clipPath linearGradient radialGradient stop
    use"""
)
_STYLES = _words(
    """fill fill-rule fill-opacity stroke stroke-width stroke-opacity stroke-linecap stroke-linejoin stroke-miterlimit
    stroke-dasharray stop-color stop-opacity color opacity clip-path clip-rule"""
)
_ATTRIBUTES = _STYLES | _words(
    """id href d points x y x1 y1 x2 y2 cx cy r rx ry fx fy width height transform viewBox preserveAspectRatio offset
    gradientUnits gradientTransform spreadMethod clipPathUnits"""
)
_OWN = re.compile(r"url\(\s*['\"]?#([\w.-]+)['\"]?\s*\)")


def cleaned(svg: bytes) -> Markup:
    """The drawing alone, to stand within a page; ValueError says why it cannot be used."""
    try:
        text = svg.decode("utf-8-sig")
        if re.search(r"<!ENTITY|<!DOCTYPE[^>]*\[", text):
            raise ValueError("it defines entities; save it as plain SVG")
        root = ElementTree.fromstring(re.sub(r"<!DOCTYPE[^>]*>", "", text))
    except (ElementTree.ParseError, ValueError) as error:
        raise ValueError(f"it cannot be read as SVG ({error})") from error
    if root.tag != f"{_SVG}svg":
        raise ValueError("it is not an SVG")
    rules = dict(_rules("".join(style.text or "" for style in root.iter(f"{_SVG}style"))))
    drawing = _clean(root, rules)
    drawing.attrib = {"viewBox": _view_box(root), "class": "logo", "aria-hidden": "true"}
    if not any(one.tag in {"path", "rect", "circle", "ellipse", "polygon", "polyline"} for one in drawing.iter()):
        raise ValueError("nothing is drawn in it; convert texts to paths and pictures to shapes")
    said = ElementTree.tostring(drawing, encoding="unicode")
    if (size := len(gzip.compress(said.encode()))) > MOST_BYTES:
        raise ValueError(f"it is {size} bytes as sent and may be {MOST_BYTES}; simplify it")
    return Markup(said)


def _clean(one: Element, rules: Mapping[str, dict[str, str]]) -> Element:
    kept = Element(one.tag.removeprefix(_SVG), _attributes(one, rules))
    kept.extend(_clean(inner, rules) for inner in one if isinstance(inner.tag, str) and _is_shape(inner.tag))
    return kept


def _is_shape(tag: str) -> bool:
    return tag.startswith(_SVG) and tag.removeprefix(_SVG) in _SHAPES


def _attributes(one: Element, rules: Mapping[str, dict[str, str]]) -> dict[str, str]:
    """What stays of a shape's attributes, its styles among them: those of its classes, then its own."""
    given = {name.removeprefix("{http://www.w3.org/1999/xlink}"): value for name, value in one.attrib.items()}
    for name in given.get("class", "").split():
        given |= rules.get(name, {})
    given |= dict(_declarations(given.get("style", "")))
    return {name: safe for name, value in given.items() if name in _ATTRIBUTES and (safe := _safe(name, value))}


def _safe(name: str, value: str) -> str | None:
    """A value that reaches nothing outside the drawing; names are made the logo's own, so that no id stands twice."""
    if name == "id":
        return f"logo-{value}" if re.fullmatch(r"[\w.-]+", value) else None
    if name == "href":
        return f"#logo-{value[1:]}" if re.fullmatch(r"#[\w.-]+", value) else None
    value = _OWN.sub(r"url(#logo-\1)", value)
    foreign = re.sub(r"url\(#logo-[\w.-]+\)", "", value)
    return None if re.search(r"url|[\\:<>&@;{}]", foreign, re.IGNORECASE) else value


def _rules(sheet: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The declarations of a style sheet that is no more than classes, as drawing programs write."""
    sheet = re.sub(r"/\*.*?\*/", "", sheet, flags=re.DOTALL)
    found: dict[str, dict[str, str]] = {}
    for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", sheet):
        for selector in selectors.split(","):
            if name := re.fullmatch(r"\s*\.([\w-]+)\s*", selector):
                found.setdefault(name[1], {}).update(_declarations(body))
    yield from found.items()


def _declarations(style: str) -> Iterator[tuple[str, str]]:
    for declaration in style.split(";"):
        name, colon, value = declaration.partition(":")
        if colon and name.strip() in _STYLES:
            yield name.strip(), value.strip()


def _view_box(root: Element) -> str:
    """The drawing's own coordinates."""
    box = root.get("viewBox", "")
    if re.fullmatch(r"\s*-?[\d.]+([\s,]+-?[\d.]+){3}\s*", box):
        return box
    sizes = [re.fullmatch(r"([\d.]+)(px|pt|mm)?", root.get(side, "")) for side in ("width", "height")]
    if not all(sizes):
        raise ValueError("it has no viewBox; save it with one")
    return " ".join(["0 0", *(size[1] for size in sizes if size)])
