"""Chooses a font that has the characters of a text, for the PDF.

Vera, which ReportLab brings, is embedded: Latin letters, on any machine. Greek, Cyrillic, Chinese,
Japanese and Korean are shown by the fonts that every PDF reader has for Asian text; they are named
in the PDF and not part of it. What is left is written without its accents, or by its code point.
"""

from __future__ import annotations

import unicodedata
from functools import cache
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

import reportlab
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.pdfmetrics import getFont, registerFont
from reportlab.pdfbase.ttfonts import TTFont

LATIN, LATIN_BOLD = "Vera", "Vera-Bold"
#: By the standard that says which signs the font has.
ASIAN = {"shift_jis": "HeiseiKakuGo-W5", "gbk": "STSong-Light", "euc_kr": "HYGothic-Medium"}


def markup(text: str) -> str:
    """The text as ReportLab's paragraphs read it: escaped, each part in a font that has it."""
    if text.isascii() and text.isprintable():
        return escape(text)
    shown = "".join(written(each) for each in text)
    fallback = preferred([each for each in shown if not is_latin(each)])
    parts = groupby(shown, key=lambda each: "" if is_latin(each) else font_of(each, fallback))
    escaped = ((font, escape("".join(each))) for font, each in parts)
    marked = (f'<font name="{font}">{each}</font>' if font else each for font, each in escaped)
    return "".join(marked).replace("\n", "<br/>")


def written(character: str) -> str:
    """The character, or what stands for it where no font has it."""
    if character == "\n" or is_latin(character) or codecs_of(character):
        return character
    if unicodedata.category(character) in ("Cf", "Mn", "Me"):
        # It joins its neighbours to one sign, and no font here can do that.
        return ""
    decomposed = unicodedata.normalize("NFKD", character)
    plain = "".join(each for each in decomposed if not unicodedata.combining(each))
    if plain and plain != character and all(is_latin(each) or codecs_of(each) for each in plain):
        return plain
    return f"[U+{ord(character):04X}]"


def preferred(characters: list[str]) -> str:
    """The codec of the one font that has them all, so that a name is in one hand."""
    for codec in ASIAN:
        if all(codec in codecs_of(each) for each in characters):
            return codec
    return ""


def font_of(character: str, fallback: str) -> str:
    codec = fallback or next(iter(codecs_of(character)))
    return ASIAN[codec]


def is_latin(character: str) -> bool:
    register()
    return character == "\n" or ord(character) in getFont(LATIN).face.charToGlyph


def codecs_of(character: str) -> tuple[str, ...]:
    """The standards of Asian fonts that have the character."""
    return tuple(codec for codec in ASIAN if _encodes(character, codec))


def _encodes(character: str, codec: str) -> bool:
    try:
        character.encode(codec)
    except UnicodeEncodeError:
        return False
    return True


@cache
def register() -> None:
    """Register the fonts with ReportLab."""
    folder = Path(reportlab.__file__).parent / "fonts"
    registerFont(TTFont(LATIN, folder / "Vera.ttf"))
    registerFont(TTFont(LATIN_BOLD, folder / "VeraBd.ttf"))
    for font in ASIAN.values():
        registerFont(UnicodeCIDFont(font))
