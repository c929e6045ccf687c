"""The sheet as a PDF, on A4, with the lines' head repeated on every page."""

from __future__ import annotations

from io import BytesIO
from typing import Any

from reportlab.lib.colors import HexColor
from reportlab.lib.enums import TA_RIGHT
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle
from reportlab.lib.units import mm
from reportlab.pdfgen.canvas import Canvas
from reportlab.platypus import Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from billing.glyphs import LATIN, LATIN_BOLD, markup, register
from billing.print_text import one_line
from billing.sheet import Sheet

MARGIN = 20 * mm
WIDTH = A4[0] - 2 * MARGIN
#: Every cell of a table.
ALL = ((0, 0), (-1, -1))
INK, QUIET, RULE = HexColor("#1c2024"), HexColor("#5f6b76"), HexColor("#c9d0d6")


def pdf(sheet: Sheet) -> bytes:
    """The same sheet gives the same bytes."""
    register()
    story = [*_head(sheet), _lines(sheet), Spacer(0, 4 * mm), _totals(sheet)]
    written = BytesIO()
    document = SimpleDocTemplate(
        written,
        pagesize=A4,
        **dict.fromkeys(("leftMargin", "rightMargin", "topMargin", "bottomMargin"), MARGIN),
        title=f"{sheet.title} {sheet.number}",
        author=one_line(sheet.seller),
        invariant=True,
    )
    document.build(story, onFirstPage=_footer(sheet), onLaterPages=_footer(sheet))
    return written.getvalue()


def _head(sheet: Sheet) -> list[Any]:
    facts = [[_text(name, color=QUIET), _text(value)] for name, value in sheet.facts]
    head = [
        _text(sheet.seller, color=QUIET),
        Spacer(0, 6 * mm),
        _text(f"{sheet.title} {sheet.number}", bold=True, size=18),
        Spacer(0, 4 * mm),
        Table(facts, colWidths=[30 * mm, WIDTH - 30 * mm]),
        Spacer(0, 4 * mm),
    ]
    return [*head, _text(sheet.note, bold=True), Spacer(0, 6 * mm)] if sheet.note else head


def _lines(sheet: Sheet) -> Table:
    names = ("Article", "Quantity", "Unit price", "Amount")
    head = [_text(name, bold=True, right=name != "Article") for name in names]
    rows = [
        [
            _text(row.sku),
            *(_text(each, right=True) for each in (row.quantity, row.unit_price, row.amount)),
        ]
        for row in sheet.rows
    ]
    rule = TableStyle([("LINEBELOW", *ALL, 0.4, RULE), ("VALIGN", *ALL, "TOP")])
    widths = [WIDTH - 115 * mm, 25 * mm, 36 * mm, 54 * mm]
    return Table([head, *rows], colWidths=widths, repeatRows=1, style=rule)


def _totals(sheet: Sheet) -> Table:
    last = len(sheet.totals) - 1
    rows = [
        ["", _text(name, bold=at == last), _text(amount, bold=at == last, right=True)]
        for at, (name, amount) in enumerate(sheet.totals)
    ]
    return Table(rows, colWidths=[WIDTH - 115 * mm, 40 * mm, 75 * mm])


def _footer(sheet: Sheet) -> Any:
    def draw(canvas: Canvas, document: SimpleDocTemplate) -> None:
        canvas.setFont(LATIN, 8)
        canvas.setFillColor(QUIET)
        canvas.drawString(MARGIN, 12 * mm, f"{sheet.title} {sheet.number}")
        canvas.drawRightString(A4[0] - MARGIN, 12 * mm, f"Page {document.page}")

    return draw


def _text(
    text: str, *, bold: bool = False, right: bool = False, size: int = 9, color: Any = INK
) -> Paragraph:
    style = ParagraphStyle(
        "text",
        fontName=LATIN_BOLD if bold else LATIN,
        fontSize=size,
        leading=size * 1.4,
        textColor=color,
        # An SKU without a space is broken where the column ends.
        splitLongWords=True,
        **({"alignment": TA_RIGHT} if right else {}),
    )
    # A paragraph reads markup, and a SKU is untrusted text.
    return Paragraph(markup(text), style)
