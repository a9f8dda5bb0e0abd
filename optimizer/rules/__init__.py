"""The rules a scenario may name. To add one: a file of its own, and a line here."""

from __future__ import annotations

from optimizer.rules.base import Judgement, Restriction, Rows, Rule
from optimizer.rules.forbid import Forbid
from optimizer.rules.keep import Keep
from optimizer.rules.limit import Limit
from optimizer.rules.match import Match
from optimizer.rules.nearest import Nearest
from optimizer.rules.together import Together

RULES: tuple[type[Rule], ...] = (Limit, Match, Nearest, Keep, Forbid, Together)

__all__ = ["RULES", "Judgement", "Restriction", "Rows", "Rule"]
