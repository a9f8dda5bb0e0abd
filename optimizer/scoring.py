"""The `[scoring]` part of a scenario file: every number that turns tables into value and hours.

All defaults are practitioners' starting points and are meant to be edited; money is in the scenario's currency
and per year.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

Share = Annotated[float, Field(ge=0, le=1)]
Amount = Annotated[float, Field(ge=0, le=1e12)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False, strict=True)


class Criterion(_Part):
    """One criterion of the key-account score.

    `column` is a numeric column of the accounts table. Without `low` and `high` it holds scores from 1 (very low) to
    10 (very high) already; with them the numbers between are mapped linearly onto 1 to 10 (`high` may be the smaller).
    """

    column: str
    weight: Annotated[float, Field(gt=0)] = 1.0
    low: float | None = None
    high: float | None = None

    @model_validator(mode="after")
    def _both_ends(self) -> Criterion:
        if (self.low is None) != (self.high is None) or (self.low is not None and self.low == self.high):
            raise ValueError("give both low and high, and let them differ, or neither")
        return self


class KeyFilter(_Part):
    """Which accounts are key accounts: three years' revenue, three years' cost to serve as a share of it,
    three years' growth, and the key-account score. Conditions left out are not asked; an account whose
    figure is missing does not pass."""

    min_revenue: Amount | None = None
    max_cost_share: Annotated[float, Field(ge=0)] | None = None
    min_growth: float | None = None
    min_score: Annotated[float, Field(ge=1, le=10)] | None = None


class Travel(_Part):
    """Great-circle travel where both ends have coordinates: `visits` round trips a year for an account (a tour of four
    accounts is a quarter for each), door to door."""

    visits: Annotated[float, Field(ge=0)] = 0.25
    cost_per_km: Annotated[float, Field(ge=0)] = 0.3
    km_per_hour: Annotated[float, Field(gt=0)] = 100.0


class Level(_Part):
    """A service level: multiples of an account's touch hours and of its expected revenue."""

    name: Annotated[str, Field(min_length=1)]
    hours: Annotated[float, Field(ge=0)] = 1.0
    value: Annotated[float, Field(ge=0)] = 1.0


class Role(_Part):
    """A role an account needs one rep in, with its share of the account's value. The shares sum to 1."""

    name: Annotated[str, Field(min_length=1)]
    share: Share = 1.0
    hours: Annotated[float, Field(ge=0)] = 1.0


class Scoring(_Part):
    """Strengths (0 switches a factor off, 1 is full), rates and amounts."""

    conversion: Share | dict[str, Share] = Field(
        default=0.2, description="share of potential won at par, or by segment"
    )
    performance: Share = Field(default=1.0, description="strength of the rep's performance")
    skills: Share = Field(default=1.0, description="strength of the skill match")
    fit: Share = Field(default=1.0, description="strength of account fit and industry knowledge")
    learn_performance: bool = Field(default=True, description="learn missing performance from closed deals")
    skill_gap_value: Share = Field(default=0.5, description="share of expected revenue lost with none of the skills")
    skill_gap_hours: Annotated[float, Field(ge=0)] = Field(default=0.25, description="extra hours with none of them")
    industry_lift: Share = Field(default=0.1, description="more expected revenue where the rep knows the industry")
    key_weight: Amount = Field(default=0.0, description="currency per point of key-account score, key accounts only")
    key_criteria: tuple[Criterion, ...] = Field(default=(), strict=False, description="criteria of the key score")
    key_filter: KeyFilter = Field(default=KeyFilter(), description="which accounts are key accounts")
    retention: Share = Field(default=0.2, description="share of current revenue kept only if somebody serves it")
    transition_loss: Share = Field(default=0.15, description="share of current revenue lost when the rep changes")
    same_industry_relief: Share = Field(
        default=0.5, description="part of that loss a rep who knows the industry avoids"
    )
    travel: Travel = Travel()
    hours: dict[str, Annotated[float, Field(ge=0, le=1e6)]] = Field(
        default_factory=dict, description="touch model: hours a year by segment"
    )
    default_hours: Annotated[float, Field(ge=0, le=1e6)] = Field(default=12.0, description="hours of any other account")
    default_capacity: Annotated[float, Field(ge=0, le=1e6)] = Field(default=1500.0, description="hours of a rep")
    levels: tuple[Level, ...] = Field(default=(Level(name="standard"),), strict=False, min_length=1)

    @model_validator(mode="after")
    def _distinct(self) -> Scoring:
        names = [level.name for level in self.levels]
        if len(set(names)) < len(names):
            raise ValueError("two service levels have the same name")
        return self
