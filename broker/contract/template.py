"""A dataset's template as an empty XLSX: its columns as text, drop-downs of short code lists, and what each column asks for. Server only (xlsxwriter)."""

from __future__ import annotations

from io import BytesIO
from typing import TYPE_CHECKING, Any, Final

from xlsxwriter import Workbook

if TYPE_CHECKING:
    from broker.contract.codelists import CodeLists
    from broker.model import Column, Contract

LISTED: Final = 1_000  # codes of a list that is offered whole
ROWS: Final = 10_000  # rows below the header that have drop-downs
GUIDE: Final = ("Kolom", "Wajib", "Jenis", "Arti", "Contoh", "Daftar kode", "Batas")
_TYPES: Final = {"string": "teks", "int": "bilangan bulat", "decimal": "bilangan", "date": "tanggal (2026-11-21)", "bool": "true / false", "code": "kode", "text": "teks bebas"}


def template_xlsx(contract: Contract, codes: CodeLists) -> bytes:
    """The file: the first sheet is what is filled in and sent, the others explain it. The same contract gives the same sheets."""
    out = BytesIO()
    with Workbook(out, {"in_memory": True}) as book:  # no temporary file
        data, guide, lists = book.add_worksheet("data"), book.add_worksheet("petunjuk"), book.add_worksheet("kode")
        head, text = book.add_format({"bold": True, "bg_color": "#E2EDF1", "num_format": "@"}), book.add_format({"num_format": "@"})
        ranges = _write_lists(lists, contract, codes, head)
        data.freeze_panes(1, 0)
        for at, column in enumerate(contract.columns):
            data.set_column(at, at, max(12, len(column.name) + 2), text)  # as text: a number cell of 16 digits has lost its last
            data.write_string(0, at, column.name, head)
            data.write_comment(0, at, _note(column), {"x_scale": 2, "y_scale": 1.5})
            if column.codelist in ranges and column.list_max is None:
                data.data_validation(1, at, ROWS, at, {"validate": "list", "source": ranges[column.codelist], "error_type": "warning"})
        _write_guide(guide, contract, head)
    return out.getvalue()


def _write_lists(sheet: Any, contract: Contract, codes: CodeLists, head: Any) -> dict[str | None, str]:
    """Writes the short code lists, two columns each; returns where each one's codes are."""
    names = [name for name in dict.fromkeys(c.codelist for c in contract.columns if c.codelist) if len(codes.codes(name)) <= LISTED]
    ranges: dict[str | None, str] = {}
    for number, name in enumerate(names):
        at, entries = 2 * number, [code for code in codes.lists[name].entries if code not in codes.retired(name)]
        sheet.write_string(0, at, name, head)
        for row, code in enumerate(entries, 1):
            sheet.write_string(row, at, code)
            sheet.write_string(row, at + 1, codes.label(name, code))
        sheet.set_column(at + 1, at + 1, 40)
        ranges[name] = f"=kode!${_letters(at)}$2:${_letters(at)}${len(entries) + 1}"
    return ranges


def _letters(column: int) -> str:
    """`A`, `Z`, `AA` of 0, 25, 26."""
    return (_letters(column // 26 - 1) if column >= 26 else "") + chr(65 + column % 26)


def _write_guide(sheet: Any, contract: Contract, head: Any) -> None:
    sheet.write_string(0, 0, f"{contract.nama}: templat {contract.dataset} {contract.template}. Isi lembar `data`; baris pertama jangan diubah. Semua orang dalam contoh tidak ada.")
    for at, word in enumerate(GUIDE):
        sheet.write_string(2, at, word, head)
    for row, column in enumerate(contract.columns, 3):
        cells = (column.name, "ya" if column.required else "tidak", _TYPES[column.type], column.definisi or column.konsep, column.contoh, column.codelist or "", _bounds(column))
        for at, cell in enumerate(cells):
            sheet.write_string(row, at, cell)
    for at, width in enumerate((28, 7, 20, 60, 30, 20, 30)):
        sheet.set_column(at, at, width)


def _bounds(column: Column) -> str:
    """What else is asked of a value."""
    said = [f"paling kecil {column.min}" if column.min else "", f"paling besar {column.max}" if column.max else ""]
    said.append(f"{column.length[0]}–{column.length[1]} huruf" if column.length else "")
    return "; ".join(filter(None, said))


def _note(column: Column) -> str:
    lines = [column.konsep, column.definisi, "Wajib diisi." if column.required else "Boleh kosong.", f"Daftar kode: {column.codelist}." if column.codelist else "", f"Contoh: {column.contoh}" if column.contoh else ""]
    return "\n".join(line for line in lines if line)
