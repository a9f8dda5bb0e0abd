"""The rules of the scenario: on and off, edit, delete, add."""

from __future__ import annotations

from typing import Any

import streamlit as st

from optimizer.errors import BookfitError
from optimizer.rules import RULES, Rule
from optimizer.scenario import Scenario
from optimizer.ui import edits, state, widgets
from optimizer.ui.forms import Hints, draw, specs

NEW = "+"


def show_rules(scenario: Scenario, hints: Hints) -> None:
    """A row for each rule, and the form of the one that is being edited."""
    record = state.get()
    for i, rule in enumerate(scenario.rules):
        _row(rule, f"rule.{record.version}.{i}")
        if record.editing == rule.name:
            given = rule.model_dump(mode="python", exclude_unset=True)
            _form(rule.kind, given, rule.name, f"edit.{record.version}.{i}", hints)
    if not scenario.rules:
        st.caption("No rule yet: every account may go to every rep, without limit.")
    if record.editing.startswith(NEW):
        _form(record.editing.removeprefix(NEW), {}, "", f"new.{record.version}.{record.editing}", hints)
        return
    kinds = [str(r.model_fields["kind"].default) for r in RULES]
    choose, add = st.columns([5, 1], vertical_alignment="bottom")
    kind = choose.selectbox("Add a rule", kinds, key="rule.kind", format_func=lambda k: f"{k}: {edits.about_kind(k)}")
    if add.button("Add", icon=":material/add:", key="rule.add", width="stretch"):
        state.change(editing=NEW + kind)
        st.rerun()


def _row(rule: Rule, key: str) -> None:
    with st.container(border=True):
        switch, title, words, edit, delete = st.columns([1, 4, 11, 1, 1], vertical_alignment="center")
        on = switch.toggle(
            "on", not rule.off, key=f"{key}.on", label_visibility="collapsed", help="switch this rule on or off"
        )
        name = f"**{widgets.plain(rule.name)}**" if not rule.off else f":gray[~~{widgets.plain(rule.name)}~~]"
        soft = getattr(rule, "penalty", None)
        tag = "" if rule.kind != "limit" else " :orange-badge[soft]" if soft is not None else " :blue-badge[hard]"
        title.markdown(f"{name}{tag}")
        words.markdown(f":gray[{rule.kind} · {widgets.plain(edits.in_words(rule))}]")
        if edit.button("", icon=":material/edit:", key=f"{key}.edit", help="Edit this rule", type="tertiary"):
            state.change(editing="" if state.get().editing == rule.name else rule.name)
            st.rerun()
        if delete.button("", icon=":material/delete:", key=f"{key}.delete", help="Delete this rule", type="tertiary"):
            _save(lambda toml: edits.drop_rule(toml, rule.name), key)
        if on == rule.off:
            _save(lambda toml: edits.switch_rule(toml, rule.name, on), key)


def _form(kind: str, given: dict[str, Any], old: str, key: str, hints: Hints) -> None:
    """Widgets of one rule, drawn from its fields."""
    rule = edits.rule_class(kind)
    with st.container(border=True):
        st.markdown(f"**{'Edit' if old else 'New rule'}: {kind}**  \n:gray[{widgets.plain(edits.about_kind(kind))}]")
        fields = specs(rule)
        wide = ("where", "pairs", "model", "models", "numbers")
        held: dict[str, Any] = {}
        columns = st.columns(3)
        name = columns[0].text_input(
            "Name", given.get("name", old), key=f"{key}.name", placeholder="what people will call it"
        )
        for i, field in enumerate((f for f in fields if f.kind not in wide), 1):
            with columns[i % 3]:
                held[field.name] = draw(field, given.get(field.name), f"{key}.{field.name}", hints)
        for field in (f for f in fields if f.kind in wide):
            held[field.name] = draw(field, given.get(field.name), f"{key}.{field.name}", hints)
        by_name = {f.name: f for f in fields}
        rule_ = {"name": name.strip(), "kind": kind}
        rule_ |= {k: v for k, v in held.items() if v is not None and (by_name[k].required or v != by_name[k].default)}
        if given.get("off"):
            rule_ |= {"off": True}
        save, close, _ = st.columns([1, 1, 5])
        if close.button("Close", key=f"{key}.close", width="stretch"):
            state.change(editing="")
            st.rerun()
        if save.button("Save rule", type="primary", key=f"{key}.save", width="stretch"):
            _save(lambda toml: edits.put_rule(toml, rule_, old), key)


def _save(change: Any, key: str) -> None:
    """Keep the edit, or say why it cannot be kept."""
    try:
        toml = change(state.get().scenario)
    except BookfitError as error:
        widgets.complaint(error, f"{key}.findings")
        return
    state.edit_scenario(toml)
    st.rerun()
