"""The app is served on this machine only, quietly, and looks the same however it was installed."""

from __future__ import annotations

import streamlit.config as config

from optimizer.ui.launch import LOOK, SERVER, command


def test_the_command_serves_this_machine_only_and_tells_nobody() -> None:
    words = command(8123)
    assert words[1:4] == ["-m", "streamlit", "run"]
    assert {"--server.address=127.0.0.1", "--browser.gatherUsageStats=false", "--client.showErrorDetails=none"} <= set(
        words
    )
    assert "--server.port=8123" in words
    assert not [w for w in command() if w.startswith("--server.port")]


def test_every_option_is_one_streamlit_knows() -> None:
    known = set(config.get_config_options())
    assert {*SERVER, *(f"theme.{name}" for name in LOOK)} <= known
