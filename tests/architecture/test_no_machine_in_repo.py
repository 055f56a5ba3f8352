"""The repository holds nothing of the machine that it was written on."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# In two parts each, or this file would hold them.
REGISTRY_HOSTS = ["pypi" + ".org", "python" + "hosted.org", "npmjs" + ".org", "conda" + ".anaconda.org"]
SHALLOW = 2


def _texts() -> dict[str, str]:
    git = shutil.which("git")
    if git is None or not (ROOT / ".git").exists():
        pytest.skip("only a git checkout tells which files belong to the repository")
    listing = subprocess.run(
        [git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    files = [ROOT / name for name in listing.stdout.split("\0") if name]
    return {str(path.relative_to(ROOT)): path.read_text("utf-8", "replace") for path in files if path.is_file()}


def _holding(needle: str) -> list[str]:
    texts = _texts()
    assert "pyproject.toml" in texts
    return [name for name, text in texts.items() if needle in text]


def test_no_file_holds_the_path_of_the_checkout():
    """Nothing works only where it was written."""
    if len(ROOT.parts) <= SHALLOW:
        pytest.skip(f"{ROOT} is so short a path that a file may well mean another one")

    assert _holding(str(ROOT)) == []


@pytest.mark.parametrize("host", REGISTRY_HOSTS)
def test_no_file_names_a_registry(host):
    """Where packages come from is the business of whoever installs them."""
    assert _holding(host) == []
