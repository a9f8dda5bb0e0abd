"""Where the files are that come with the program but are not modules: the demo company and the app.

In a checkout they lie beside the package; an installed wheel carries them inside it.
"""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def demo_folder() -> Path:
    """The demo company's folder (tables and scenarios). It may be read-only: write somewhere else.

    Raises UsageError when the installation lacks it.
    """
    return _find("scenarios/demo")


def app_file() -> Path:
    """The script that Streamlit runs to show the app.

    Raises UsageError when the installation lacks it.
    """
    return _find("app.py")


def _find(name: str) -> Path:
    # The wheel's copy first: what lies beside an installed package belongs to other packages.
    for folder in (_PACKAGE / "_bundled", _PACKAGE.parent):
        if (folder / name).exists():
            return folder / name
    from optimizer.errors import UsageError

    raise UsageError(f"{name} is missing from this installation; install Bookfit again")
