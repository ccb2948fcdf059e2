"""Every mistake that `make planted` plants can be planted in the code as it is, and leaves Python."""

import ast
import shutil
from pathlib import Path

from tools.planted import MISTAKES, ROOT


def test_each_mistake_can_be_planted(tmp_path: Path) -> None:
    for number, mistake in enumerate(MISTAKES):
        file = tmp_path / str(number) / mistake.file
        file.parent.mkdir(parents=True)
        shutil.copyfile(ROOT / mistake.file, file)

        mistake.plant(tmp_path / str(number))

        ast.parse(file.read_text("utf-8"))
        assert (ROOT / mistake.noticed_by).exists()
