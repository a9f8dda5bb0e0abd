"""How the app is started: the one place that sets the server's options and the look."""

from __future__ import annotations

import sys
from collections.abc import Mapping

from optimizer.bundled import app_file

#: the most one upload may hold, in MB
MAX_UPLOAD_MB = 200
SYSTEM_FONT = "system-ui, -apple-system, Segoe UI, Roboto, Helvetica Neue, Arial, sans-serif"

SERVER: Mapping[str, str | int | bool] = {
    "server.address": "127.0.0.1",
    "server.fileWatcherType": "none",
    "server.maxUploadSize": MAX_UPLOAD_MB,
    "server.showEmailPrompt": False,
    "browser.gatherUsageStats": False,
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "client.toolbarMode": "minimal",
    "runner.magicEnabled": False,
}
LOOK: Mapping[str, str | int | bool] = {
    "base": "light",
    "primaryColor": "#1f5f8b",
    "backgroundColor": "#ffffff",
    "secondaryBackgroundColor": "#f3f6f8",
    "textColor": "#1d2b36",
    "linkColor": "#1f5f8b",
    "borderColor": "#dbe3e9",
    "dataframeBorderColor": "#e3e9ee",
    "dataframeHeaderBackgroundColor": "#f3f6f8",
    "font": SYSTEM_FONT,
    "headingFont": SYSTEM_FONT,
    "baseFontSize": 14,
    "headingFontSizes": '["1.9rem", "1.5rem", "1.3rem", "1.15rem", "1rem", "1rem"]',
    "paddingTop": "1rem",
    "paddingBottom": "3rem",
    "grayTextColor": "#5b6b77",
    "baseRadius": "6px",
    "buttonRadius": "6px",
    "metricValueFontSize": "1.35rem",
    "showWidgetBorder": True,
    "showSidebarBorder": True,
}


def command(port: int | None = None, headless: bool = False) -> list[str]:
    """The command line that serves the app on this machine only: on `port`, or the first free one from 8501.

    `headless` opens no browser. Raises `UsageError` where the installation lacks the app.
    """
    options = {**SERVER, "server.headless": headless, **{f"theme.{name}": value for name, value in LOOK.items()}}
    if port is not None:
        options["server.port"] = port
    flags = [f"--{name}={str(value).lower() if isinstance(value, bool) else value}" for name, value in options.items()]
    return [sys.executable, "-m", "streamlit", "run", str(app_file()), *flags]
