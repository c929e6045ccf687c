"""Renders the printable document as a PDF on A4; the table's header is on every page."""

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
from billing.printable_document import PrintableDocument
from billing.printable_text import one_line

MARGIN = 20 * mm
WIDTH = A4[0] - 2 * MARGIN
#: Every cell of a table.
ALL = ((0, 0), (-1, -1))
INK, QUIET, RULE = HexColor("#1c2024"), HexColor("#5f6b76"), HexColor("#c9d0d6")


def pdf(document: PrintableDocument) -> bytes:
    """The same document gives the same bytes."""
    register()
    story = [*_head(document), _lines(document), Spacer(0, 4 * mm), _totals(document)]
    written = BytesIO()
    template = SimpleDocTemplate(
        written,
        pagesize=A4,
        **dict.fromkeys(("leftMargin", "rightMargin", "topMargin", "bottomMargin"), MARGIN),
        title=f"{document.title} {document.number}",
        author=one_line(document.seller),
        invariant=True,
    )
    template.build(story, onFirstPage=_footer(document), onLaterPages=_footer(document))
    return written.getvalue()


def _head(document: PrintableDocument) -> list[Any]:
    facts = [[_text(name, color=QUIET), _text(value)] for name, value in document.facts]
    head = [
        _text(document.seller, color=QUIET),
        Spacer(0, 6 * mm),
        _text(f"{document.title} {document.number}", bold=True, size=18),
        Spacer(0, 4 * mm),
        Table(facts, colWidths=[30 * mm, WIDTH - 30 * mm]),
        Spacer(0, 4 * mm),
    ]
    return [*head, _text(document.note, bold=True), Spacer(0, 6 * mm)] if document.note else head


def _lines(document: PrintableDocument) -> Table:
    names = ("Article", "Quantity", "Unit price", "Amount")
    head = [_text(name, bold=True, right=name != "Article") for name in names]
    rows = [
        [
            _text(row.sku),
            *(_text(each, right=True) for each in (row.quantity, row.unit_price, row.amount)),
        ]
        for row in document.rows
    ]
    rule = TableStyle([("LINEBELOW", *ALL, 0.4, RULE), ("VALIGN", *ALL, "TOP")])
    widths = [WIDTH - 115 * mm, 25 * mm, 36 * mm, 54 * mm]
    return Table([head, *rows], colWidths=widths, repeatRows=1, style=rule)


def _totals(document: PrintableDocument) -> Table:
    last = len(document.totals) - 1
    rows = [
        ["", _text(name, bold=at == last), _text(amount, bold=at == last, right=True)]
        for at, (name, amount) in enumerate(document.totals)
    ]
    return Table(rows, colWidths=[WIDTH - 115 * mm, 40 * mm, 75 * mm])


def _footer(document: PrintableDocument) -> Any:
    def draw(canvas: Canvas, template: SimpleDocTemplate) -> None:
        canvas.setFont(LATIN, 8)
        canvas.setFillColor(QUIET)
        canvas.drawString(MARGIN, 12 * mm, f"{document.title} {document.number}")
        canvas.drawRightString(A4[0] - MARGIN, 12 * mm, f"Page {template.page}")

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
