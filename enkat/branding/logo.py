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

#: Of the file, and of what is left of it: every page carries it, and a browser has to draw it.
MOST_READ, MOST_KEPT = 64 * 1024, 16 * 1024

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
_HIDING = _words("display visibility")
_ATTRIBUTES = _STYLES | _words(
    """id href d points x y x1 y1 x2 y2 cx cy r rx ry fx fy width height transform viewBox preserveAspectRatio offset
    gradientUnits gradientTransform spreadMethod clipPathUnits"""
)
_OWN = re.compile(r"url\(\s*['\"]?#([\w.-]+)['\"]?\s*\)")


def cleaned(svg: bytes) -> Markup:
    """The drawing alone, to stand within a page; ValueError says why it cannot be used."""
    if len(svg) > MOST_READ:
        raise ValueError(f"the file is larger than {MOST_READ // 1024} kB; simplify it")
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
    try:
        drawing = _clean(root, rules)
    except RecursionError as error:
        raise ValueError("its groups lie too deep in each other; simplify it") from error
    paint = {name: value for name, value in drawing.attrib.items() if name in _STYLES}
    drawing.attrib = {"viewBox": _view_box(root), **paint, "class": "logo", "aria-hidden": "true"}
    _judge_uses(drawing)
    if not any(one.tag in {"path", "rect", "circle", "ellipse", "polygon", "polyline"} for one in drawing.iter()):
        raise ValueError("nothing is drawn in it; convert texts to paths and pictures to shapes")
    said = ElementTree.tostring(drawing, encoding="unicode")
    if len(said) > MOST_KEPT:
        raise ValueError(f"its shapes take {len(said)} bytes and may take {MOST_KEPT}; simplify it")
    if (size := len(gzip.compress(said.encode()))) > MOST_BYTES:
        raise ValueError(f"it is {size} bytes as sent and may be {MOST_BYTES}; simplify it")
    return Markup(said)


def _clean(one: Element, rules: Mapping[str, dict[str, str]]) -> Element:
    kept = Element(one.tag.removeprefix(_SVG), _attributes(one, rules))
    kept.extend([_clean(inner, rules) for inner in one if _is_shown(inner, rules)])
    return kept


def _is_shown(one: Element, rules: Mapping[str, dict[str, str]]) -> bool:
    """Whether it is a shape that may stay, and no hidden layer."""
    if not isinstance(one.tag, str) or not one.tag.startswith(_SVG) or one.tag.removeprefix(_SVG) not in _SHAPES:
        return False
    style = _style(one, rules)
    return style.get("display") != "none" and style.get("visibility") != "hidden"


def _judge_uses(drawing: Element) -> None:
    """A part may be drawn again, but no part of which a part is drawn again: each step would double the work."""
    nested = {f"#{one.get('id')}" for one in drawing.iter() if one.tag == "use" or one.find(".//use") is not None}
    uses = list(drawing.iter("use"))
    if len(uses) > 50 or any(use.get("href") in nested for use in uses):
        raise ValueError("its parts are made of each other; flatten it")


def _attributes(one: Element, rules: Mapping[str, dict[str, str]]) -> dict[str, str]:
    """What stays of a shape's attributes, its styles among them: those of its classes, then its own."""
    given = {name.removeprefix("{http://www.w3.org/1999/xlink}"): value for name, value in one.attrib.items()}
    given |= _style(one, rules)
    return {name: safe for name, value in given.items() if name in _ATTRIBUTES and (safe := _safe(name, value))}


def _style(one: Element, rules: Mapping[str, dict[str, str]]) -> dict[str, str]:
    """How a shape is painted: by its attributes, its classes, and its own style, the last word last."""
    style = {name: value for name, value in one.attrib.items() if name in _STYLES | _HIDING}
    for name in one.get("class", "").split():
        style |= rules.get(name, {})
    return style | dict(_declarations(one.get("style", "")))


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
    for block in sheet.split("}"):
        selectors, _brace, body = block.partition("{")
        for selector in selectors.split(","):
            if name := re.fullmatch(r"\s*\.([\w-]+)\s*", selector):
                found.setdefault(name[1], {}).update(_declarations(body))
    yield from found.items()


def _declarations(style: str) -> Iterator[tuple[str, str]]:
    for declaration in style.split(";"):
        name, colon, value = declaration.partition(":")
        if colon and name.strip() in _STYLES | _HIDING:
            yield name.strip(), value.replace("!important", "").strip()


def _view_box(root: Element) -> str:
    """The drawing's own coordinates."""
    box = root.get("viewBox", "")
    if re.fullmatch(r"\s*-?[\d.]+([\s,]+-?[\d.]+){3}\s*", box):
        return box
    sizes = [re.fullmatch(r"([\d.]+)(px|pt|mm)?", root.get(side, "")) for side in ("width", "height")]
    if not all(sizes):
        raise ValueError("it has no viewBox; save it with one")
    return " ".join(["0 0", *(size[1] for size in sizes if size)])
