"""Values that a spreadsheet has changed: refused, as two values may have become one.

Excel and others take a text of digits for a number and a text like 3-4 for a date, and write it
back in their own words. Such a text is written as ="2026-11-28", which they do not change.
"""

from __future__ import annotations

import re

from runtime.requests.refusal import Fault

AS_TEXT = re.compile(r'\A="(.*)"\Z')

#: As spreadsheets write them in English, German, French, Spanish and Italian; MAR-12 may be a real
#: name.
MONTH = (
    r"(?:[Jj]an|[Ff]eb|[Mm]ar|[Mm]rz|[Mm]är|[Aa]pr|[Mm]a[yi]|[Jj]u[nl]|[Aa]ug|[Ss]ept?|[Oo][ck]t"
    r"|[Nn]ov|[Dd]e[cz]|[Jj]anv|[Ff]évr|[Mm]ars|[Aa]vr|[Jj]uin|[Jj]uil|[Aa]oût|[Dd]éc"
    r"|[Ee]ne|[Aa]br|[Aa]go|[Dd]ic|[Gg]en|[Mm]ag|[Gg]iu|[Ll]ug|[Ss]et|[Oo]tt)"
)
TIME = r"\d{1,2}:\d{2}(:\d{2})?( [AaPp][Mm])?"
#: An example of it, and its pattern. Excel keeps 15 digits of a number.
#: https://learn.microsoft.com/office/troubleshoot/excel/last-digits-changed-to-zeros
MADE = {
    "a number in scientific notation": r"[+-]?\d+([.,]\d+)?[Ee][+-]\d+",
    "a number of which a spreadsheet has kept 15 digits": r"\d{15}0+",
    "a date": (
        rf"(\d{{1,2}}[-. /]{{1,2}}{MONTH}\.?([-. /]{{1,2}}\d{{2}}(\d{{2}})?)?"
        rf"|{MONTH}\.?[-. /]{{1,2}}\d{{2}}(\d{{2}})?"
        r"|\d{1,2}(?P<a>[./-])\d{1,2}(?P=a)\d{4}|\d{1,2}(?P<b>[./])\d{1,2}(?P=b)\d{2}"
        rf"|\d{{4}}(?P<c>[./-])\d{{1,2}}(?P=c)\d{{1,2}})([ T]{TIME})?"
    ),
    "a time": TIME,
    "a truth value": r"TRUE|FALSE|WAHR|FALSCH|VRAI|FAUX|VERO|FALSO|VERDADERO",
    "the error of a formula": r"#[¡¿]?[A-ZÀ-ÖØ-Þ0-9/]+[!?]?|#+",
    "no value": r"(?i:null|none|nan|n/a)",
}
MADE_OF = {name: re.compile(rf"\A(?:{pattern})\Z") for name, pattern in MADE.items()}

#: 10.10 becomes 10.1, and stays what it is where it was written as a text.
SHORTENED = re.compile(r"\A[+-]?\d+[.,]\d*[1-9]\Z")

FIX = (
    "Format the column as text before you fill it in and save the file again; write a value that "
    'you mean literally as ="{}".'
)


def text(value: str) -> str:
    """The value without the sign that it is text."""
    marked = AS_TEXT.match(value)
    return marked[1] if marked else value


def altered(field: str, value: str) -> Fault | None:
    """Why the value of a name or an id is not to be trusted; None where it is."""
    for name, pattern in MADE_OF.items():
        if pattern.match(value):
            return untrusted(field, value, name)
    return None


def shortened(field: str, value: str) -> Fault | None:
    """Why several lines with this value may not belong together; None where they do."""
    if not SHORTENED.match(value):
        return None
    return untrusted(field, value, "on several lines a number that may have ended in zeros")


def untrusted(field: str, value: str, name: str) -> Fault:
    detail = f"must not be {name}, like {value[:50]!r}: what was typed is not known"
    return Fault(field=field, detail=detail, fix=FIX.format(value[:50]))
