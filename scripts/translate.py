"""Brings broker/web/console/en.po in line with what the console says: new messages are added without a translation, dead ones dropped.

A message that stays keeps its English. Exit 1 while one has none: `tests/console/test_words.py` asks the same.
"""

from __future__ import annotations

import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from broker.audit.reidentify import GROUNDS
from broker.ledger.words import ENTRY_WORDS

CONSOLE = Path(__file__).parents[1] / "broker" / "web" / "console"
KEYWORDS = {"N_": None, "_": None, "gettext": None}


def messages() -> dict[str, list[str]]:
    """Every message of templates and modules, in order of file and line, and the files that have it."""
    found: dict[str, list[str]] = {}
    method_map = [("**.html", "jinja2"), ("**.py", "python")]
    options = {"**.html": {"extensions": "jinja2.ext.i18n,jinja2.ext.loopcontrols", "trim_blocks": "true", "lstrip_blocks": "true", "silent": "false"}}
    for file, _, message, _, _ in extract_from_dir(str(CONSOLE), method_map, options, KEYWORDS):
        for one in message if isinstance(message, tuple) else (message,):
            if one and file not in found.setdefault(one, []):
                found[one].append(file)
    for file, texts in (("../../ledger/words.py", ENTRY_WORDS.values()), ("../../audit/reidentify.py", GROUNDS.values())):
        for one in texts:
            found.setdefault(one, []).append(file)
    return found


def main() -> int:
    path = CONSOLE / "en.po"
    with path.open("rb") as file:
        before = {str(m.id): str(m.string) for m in read_po(file) if m.id}
    catalogue = Catalog(locale="en", project="Sinergi", charset="utf-8", fuzzy=False)
    for message, files in sorted(messages().items(), key=lambda one: (one[1][0], one[0])):
        catalogue.add(message, before.get(message, ""), locations=[(f, 0) for f in files])
    with path.open("wb") as file:
        write_po(file, catalogue, width=0, include_lineno=False, omit_header=True)
    missing = [str(m.id) for m in catalogue if m.id and not m.string]
    for one in missing:
        print("no English:", one)
    return bool(missing)


if __name__ == "__main__":
    sys.exit(main())
