"""Where a sample company works: cities, and sales areas cut from one line through them.

The cities stand in the order of a journey, so that neighbours on the list are mostly neighbours on the
map. A position on the line from 0 to 1 is a city and a direction from its centre; the areas are
intervals of it, so they hold nearly equal numbers of accounts and big cities are shared by several.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from optimizer.sample.draw import Bools, Floats, Ints

LANGUAGES = ("en", "fr", "de", "es", "it", "nl")


class City(NamedTuple):
    """A city: `part` is the part of the world it belongs to, `weight` its share of the accounts."""

    part: str
    name: str
    state: str
    country: str
    lat: float
    lon: float
    weight: float
    language: str = "en"


CITIES = (
    City("East", "Boston", "MA", "US", 42.3601, -71.0589, 26),
    City("East", "Hartford", "CT", "US", 41.7658, -72.6734, 8),
    City("East", "New York", "NY", "US", 40.7128, -74.0060, 85),
    City("East", "Buffalo", "NY", "US", 42.8864, -78.8784, 6),
    City("East", "Pittsburgh", "PA", "US", 40.4406, -79.9959, 12),
    City("East", "Philadelphia", "PA", "US", 39.9526, -75.1652, 30),
    City("East", "Baltimore", "MD", "US", 39.2904, -76.6122, 13),
    City("East", "Washington", "DC", "US", 38.9072, -77.0369, 30),
    City("East", "Richmond", "VA", "US", 37.5407, -77.4360, 7),
    City("South", "Raleigh", "NC", "US", 35.7796, -78.6382, 11),
    City("South", "Charlotte", "NC", "US", 35.2271, -80.8431, 13),
    City("South", "Atlanta", "GA", "US", 33.7490, -84.3880, 32),
    City("South", "Jacksonville", "FL", "US", 30.3322, -81.6557, 7),
    City("South", "Orlando", "FL", "US", 28.5384, -81.3789, 12),
    City("South", "Tampa", "FL", "US", 27.9506, -82.4572, 14),
    City("South", "Miami", "FL", "US", 25.7617, -80.1918, 28),
    City("South", "New Orleans", "LA", "US", 29.9511, -90.0715, 6),
    City("South", "Houston", "TX", "US", 29.7604, -95.3698, 33),
    City("South", "San Antonio", "TX", "US", 29.4241, -98.4936, 11),
    City("South", "Austin", "TX", "US", 30.2672, -97.7431, 14),
    City("South", "Dallas", "TX", "US", 32.7767, -96.7970, 36),
    City("South", "Oklahoma City", "OK", "US", 35.4676, -97.5164, 7),
    City("Central", "Kansas City", "MO", "US", 39.0997, -94.5786, 10),
    City("Central", "St. Louis", "MO", "US", 38.6270, -90.1994, 12),
    City("Central", "Nashville", "TN", "US", 36.1627, -86.7816, 11),
    City("Central", "Cincinnati", "OH", "US", 39.1031, -84.5120, 11),
    City("Central", "Columbus", "OH", "US", 39.9612, -82.9988, 11),
    City("Central", "Cleveland", "OH", "US", 41.4993, -81.6944, 11),
    City("Central", "Detroit", "MI", "US", 42.3314, -83.0458, 20),
    City("Central", "Indianapolis", "IN", "US", 39.7684, -86.1581, 11),
    City("Central", "Chicago", "IL", "US", 41.8781, -87.6298, 46),
    City("Central", "Milwaukee", "WI", "US", 43.0389, -87.9065, 8),
    City("Central", "Minneapolis", "MN", "US", 44.9778, -93.2650, 18),
    City("Central", "Omaha", "NE", "US", 41.2565, -95.9345, 5),
    City("West", "Denver", "CO", "US", 39.7392, -104.9903, 16),
    City("West", "Salt Lake City", "UT", "US", 40.7608, -111.8910, 9),
    City("West", "Phoenix", "AZ", "US", 33.4484, -112.0740, 22),
    City("West", "Las Vegas", "NV", "US", 36.1699, -115.1398, 9),
    City("West", "San Diego", "CA", "US", 32.7157, -117.1611, 16),
    City("West", "Los Angeles", "CA", "US", 34.0522, -118.2437, 62),
    City("West", "San Jose", "CA", "US", 37.3382, -121.8863, 16),
    City("West", "San Francisco", "CA", "US", 37.7749, -122.4194, 30),
    City("West", "Sacramento", "CA", "US", 38.5816, -121.4944, 9),
    City("West", "Portland", "OR", "US", 45.5152, -122.6784, 11),
    City("West", "Seattle", "WA", "US", 47.6062, -122.3321, 21),
    City("Canada", "Vancouver", "BC", "CA", 49.2827, -123.1207, 15),
    City("Canada", "Calgary", "AB", "CA", 51.0447, -114.0719, 10),
    City("Canada", "Winnipeg", "MB", "CA", 49.8951, -97.1384, 5),
    City("Canada", "Toronto", "ON", "CA", 43.6532, -79.3832, 38),
    City("Canada", "Ottawa", "ON", "CA", 45.4215, -75.6972, 8),
    City("Canada", "Montréal", "QC", "CA", 45.5019, -73.5674, 20, "fr"),
    City("Canada", "Québec", "QC", "CA", 46.8139, -71.2080, 5, "fr"),
    City("Canada", "Halifax", "NS", "CA", 44.6488, -63.5752, 3),
    City("Europe", "Dublin", "", "IE", 53.3498, -6.2603, 7),
    City("Europe", "Manchester", "", "GB", 53.4808, -2.2426, 10),
    City("Europe", "London", "", "GB", 51.5072, -0.1276, 42),
    City("Europe", "Amsterdam", "", "NL", 52.3676, 4.9041, 12, "nl"),
    City("Europe", "Hamburg", "", "DE", 53.5511, 9.9937, 8, "de"),
    City("Europe", "Berlin", "", "DE", 52.5200, 13.4050, 12, "de"),
    City("Europe", "Frankfurt", "", "DE", 50.1109, 8.6821, 12, "de"),
    City("Europe", "Munich", "", "DE", 48.1351, 11.5820, 12, "de"),
    City("Europe", "Zurich", "", "CH", 47.3769, 8.5417, 7, "de"),
    City("Europe", "Milan", "", "IT", 45.4642, 9.1900, 10, "it"),
    City("Europe", "Lyon", "", "FR", 45.7640, 4.8357, 6, "fr"),
    City("Europe", "Paris", "", "FR", 48.8566, 2.3522, 26, "fr"),
    City("Europe", "Barcelona", "", "ES", 41.3874, 2.1686, 8, "es"),
    City("Europe", "Madrid", "", "ES", 40.4168, -3.7038, 12, "es"),
)
PARTS = tuple(dict.fromkeys(city.part for city in CITIES))

_CENTRES = np.array([(city.lat, city.lon) for city in CITIES])
_ENDS = np.cumsum([city.weight for city in CITIES]) / sum(city.weight for city in CITIES)
_STARTS = np.concatenate([[0.0], _ENDS[:-1]])
CITY_LANGUAGE: Ints = np.array([LANGUAGES.index(city.language) for city in CITIES], dtype=np.int64)


@dataclass(frozen=True, slots=True)
class Areas:
    """The sales areas of a company, `A` of them, in line order.

    `edges` [A + 1] are their ends on the line, `nearest` [A, ≤ 3] each area's nearest others by centre,
    `languages` [A, languages] whether some city in it speaks the language.
    """

    names: tuple[str, ...]
    edges: Floats
    nearest: Ints
    languages: Bools

    def at(self, position: Floats) -> Ints:
        """The area of each position on the line."""
        return np.clip(np.searchsorted(self.edges, position, side="right") - 1, 0, len(self.names) - 1)


def areas(count: int) -> Areas:
    """`count` sales areas: within one part of the world each when there are enough of them."""
    parts = PARTS if count >= len(PARTS) else ("Area",)
    ends = [_ENDS[max(i for i, c in enumerate(CITIES) if c.part == part)] for part in parts[:-1]] + [1.0]
    starts = [0.0, *ends[:-1]]
    shares = shared_out(count, np.subtract(ends, starts))
    names = [_name(part, k, int(share)) for part, share in zip(parts, shares, strict=True) for k in range(int(share))]
    pieces = [np.linspace(a, b, int(k), endpoint=False) for a, b, k in zip(starts, ends, shares, strict=True)]
    edges = np.concatenate([*pieces, [1.0]])
    grid = edges[:-1, None] + np.diff(edges)[:, None] * (np.arange(32) + 0.5) / 32
    city, lat, lon = locate(grid.ravel(), np.ones(grid.size))
    centre = _sphere(lat, lon).reshape(count, 32, 3).mean(axis=1)
    distance = ((centre[:, None, :] - centre[None, :, :]) ** 2).sum(axis=2)
    np.fill_diagonal(distance, np.inf)
    nearest = np.argsort(distance, axis=1, kind="stable")[:, : min(3, count - 1)]
    spoken = np.zeros((count, len(LANGUAGES)), dtype=np.bool_)
    spoken[np.repeat(np.arange(count), 32), CITY_LANGUAGE[city]] = True
    return Areas(tuple(names), edges, nearest, spoken)


def locate(position: Floats, radius: Floats) -> tuple[Ints, Floats, Floats]:
    """City code, latitude and longitude of positions on the line.

    `radius` is the distance from the city centre in units of about 20 km; the direction follows from the
    position, so an interval of the line is a slice of the city.
    """
    city = np.minimum(np.searchsorted(_ENDS, position, side="right"), len(CITIES) - 1)
    angle = 2 * np.pi * (position - _STARTS[city]) / (_ENDS - _STARTS)[city]
    lat, lon = _CENTRES[city].T
    reach = 0.18 * np.minimum(radius, 6.0)
    return city, lat + reach * np.sin(angle), lon + reach * np.cos(angle) / np.cos(np.radians(lat))


def shared_out(count: int, weights: Floats) -> Ints:
    """`count` things shared in proportion to weights, one each at least where there are enough."""
    least = 1 if count >= len(weights) else 0
    exact = (count - least * len(weights)) * weights / weights.sum()
    shares: Ints = np.floor(exact).astype(np.int64) + least
    order = np.argsort(shares - least - exact, kind="stable")
    shares[order[: count - int(shares.sum())]] += 1
    return shares


def _name(part: str, number: int, of: int) -> str:
    return part if of == 1 else f"{part} {number + 1:0{len(str(of))}d}"


def _sphere(lat: Floats, lon: Floats) -> Floats:
    north, east = np.radians(lat), np.radians(lon)
    return np.stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)], axis=-1)
