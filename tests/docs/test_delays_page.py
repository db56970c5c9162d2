"""The code of the page on delay equations runs, in order, and its assertions hold."""

import re
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "delays.md"


def test_the_page_runs() -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    assert len(blocks) == 3
    exec("\n".join(blocks), {})
