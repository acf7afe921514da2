"""Write the table of keys in docs/app.md from medpocket/tui/keys.py.

Usage: python packaging/keys_table.py [--print]
"""

import re
import sys
from pathlib import Path

from medpocket.tui.keys import all_keys

PAGE = Path(__file__).parent.parent / "docs" / "app.md"
_TABLE = re.compile(r"^\| id \| keys \|.*?(?=^[^|]|\Z)", re.MULTILINE | re.DOTALL)


def page() -> str:
    """Return docs/app.md with the keys as they are."""
    rows = [f"| `{key.id}` | {key.keys} | {key.tooltip} |" for key in all_keys().values()]
    table = "\n".join(["| id | keys | what it does |", "| --- | --- | --- |", *rows]) + "\n"
    return _TABLE.sub(lambda _: table, PAGE.read_text(encoding="utf-8"), count=1)


if __name__ == "__main__":
    if sys.argv[1:] == ["--print"]:
        sys.stdout.write(page())
    else:
        PAGE.write_text(page(), encoding="utf-8")
