"""Names for invented people and companies."""

from __future__ import annotations

import unicodedata

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from optimizer.sample.draw import Ints, joined, words
from optimizer.sample.places import CITIES


def _listed(names: str) -> list[str]:
    return names.split()


FIRST = _listed(
    "Aaliyah Aaron Adam Ahmed Aisha Akira Alejandro Alice Amara Amir Ana Anders Andrea Anika Anton Arjun Astrid "
    "Beatriz Benjamin Bianca Bruno Camille Carla Carlos Caroline Chen Chidi Chloe Claire Connor Daniel Daria David "
    "Deepa Diego Dominik Elena Elif Elijah Emeka Emma Erik Esther Eva Fatima Felix Fiona Francesca François Gabriel "
    "Grace Greta Hana Hannah Hassan Helena Henry Hiro Hugo Ibrahim Ines Isabel Ivan Jack Jamal Jasmine Javier Jin "
    "Joanna Jonas José Julia Kai Karim Katarina Kofi Lara Laura Leila Leo Lin Lucas Lucia Lukas Maja Malik Marco "
    "Maria Marta Mateo Maya Mei Michael Mina Mohamed Nadia Naomi Nathan Nina Noah Nora Olga Oliver Omar Oscar Paula "
    "Pedro Petra Priya Rafael Rahul Renée Rosa Ruth Sami Samuel Sara Sofia Stefan Tara Thomas Tomas Uma Valentina "
    "Vera Victor Viktoria Wei William Yara Yuki Yusuf Zara Zoë"
)
LAST = _listed(
    "Abbott Adeyemi Ahmed Ali Almeida Andersen Bailey Bakker Banerjee Barros Bauer Becker Bell Bennett Berg Bianchi "
    "Blake Boateng Bouchard Brown Bryant Byrne Campbell Carter Castro Chan Chang Chen Choi Clark Cohen Collins Cooper "
    "Costa Cruz Davies Delgado Diaz Doyle Dubois Edwards Eriksen Evans Farah Fernandez Ferrari Fischer Flores Foster "
    "Fournier Gagnon Garcia Gomez Gonzalez Graham Gray Green Gupta Haas Hall Hansen Harris Hayes Herrera Hoffmann "
    "Hughes Hussain Ibrahim Ito Jackson Jansen Jensen Johansson Jones Kaur Kelly Khan Kim King Klein Kowalski Kumar "
    "Lambert Larsen Lee Lefebvre Lewis Li Lim Lopez Marino Martin Martinez Mehta Mendes Meyer Miller Mitchell Moore "
    "Morales Moreau Morgan Mueller Murphy Mwangi Nakamura Nelson Nguyen Novak Nunes Okafor Olsen Ortiz Owens Park "
    "Parker Patel Pereira Perez Petrov Phillips Popescu Quinn Ramirez Reid Reyes Ricci Rivera Robinson Rossi Roy Ruiz "
    "Russo Sanchez Santos Sato Schmidt Schneider Scott Shah Sharma Silva Singh Smith Stein Suzuki Tanaka Taylor "
    "Thompson Torres Tran Tremblay Turner Vargas Vega Visser Vogel Wagner Walker Wang Ward Weber White Williams Wilson "
    "Wong Wood Wright Yamamoto Yang Yilmaz Young Zhang Zimmermann"
)
_ONSETS = _listed(
    "Al Am Ar Ast Bel Bor Bran Cal Cam Cen Cor Cres Dal Del Dor El Em Er Fal Fen Fer Gal Gar Hal Har Hel In Jor Kal "
    "Kel Kes Lan Lar Lin Lor Mar Mel Mon Nal Nor Ol Or Pal Per Pol Quin Ral Ren Ros Sal Sel Sil Sol Tal Tar Ter Tor "
    "Ul Val Var Vel Ver Vin Wel Win Wyn Yor Zan Zel"
)
_CODAS = _listed(
    "bera brook bury cor cora dale dan dena dera don dora fast field ford gate grove ham hurst ica ida ina ion ita "
    "land lea lin low lume mark mere mont mora nara nova ora ovia port quist ra ridge rin rion ro sen shaw stead ster "
    "stone tana tara tek ton tor una ura van vane vera via view vista wick wold wood worth xa yard"
)
#: What companies of an industry call themselves, by industry.
INDUSTRIES: dict[str, tuple[str, ...]] = {
    "Manufacturing": ("Industries", "Manufacturing", "Machinery", "Components"),
    "Technology": ("Systems", "Software", "Labs", "Networks"),
    "Financial Services": ("Capital", "Bank", "Insurance", "Partners"),
    "Healthcare": ("Health", "Clinics", "Biosciences", "Care"),
    "Retail": ("Stores", "Retail", "Brands", "Market"),
    "Logistics": ("Logistics", "Freight", "Transport", "Supply"),
    "Energy": ("Energy", "Power", "Utilities", "Resources"),
    "Education": ("Learning", "College", "Education", "Institute"),
    "Media": ("Media", "Publishing", "Studios", "Press"),
    "Hospitality": ("Hotels", "Foods", "Leisure", "Travel"),
}
_LEGAL = {
    "US": ("Inc", "LLC", "Corp", "Group"), "CA": ("Inc", "Ltd", "Group", "Corp"), "GB": ("Ltd", "PLC", "Group", "LLP"),
    "IE": ("Ltd", "DAC", "Group", "PLC"), "DE": ("GmbH", "AG", "GmbH", "KG"), "CH": ("AG", "GmbH", "AG", "SA"),
    "FR": ("SA", "SAS", "SARL", "Groupe"), "ES": ("SA", "SL", "SA", "Grupo"), "IT": ("SpA", "Srl", "SpA", "Gruppo"),
    "NL": ("BV", "NV", "BV", "Groep"),
}  # fmt: skip


def people(rng: np.random.Generator, count: int) -> tuple[pa.Array, pa.Array, pa.Array]:
    """`count` different people, at most `len(FIRST) * len(LAST)`: full names, first and last names in ASCII."""
    code = rng.choice(len(FIRST) * len(LAST), count, replace=False)
    first, last = code % len(FIRST), code // len(FIRST)
    return joined(words(FIRST, first), words(LAST, last)), words(_ascii(FIRST), first), words(_ascii(LAST), last)


def passers_by(rng: np.random.Generator, count: int) -> pa.Array:
    """`count` full names; the same name may occur twice, as it does among many people."""
    return joined(words(FIRST, rng.integers(len(FIRST), size=count)), words(LAST, rng.integers(len(LAST), size=count)))


def companies(rng: np.random.Generator, industry: Ints, city: Ints, root: Ints) -> pa.Array:
    """Names of companies [n]; members of a family (`root` differs from the row) carry its brand and their city."""
    brands = [onset + coda for onset in _ONSETS for coda in _CODAS]
    brand = rng.permutation(len(brands))[np.arange(len(root)) % len(brands)][root]
    nouns = [noun for kinds in INDUSTRIES.values() for noun in kinds]
    noun = industry * 4 + rng.integers(4, size=len(root))
    legal = [form for place in CITIES for form in _LEGAL[place.country]]
    full = joined(words(brands, brand), words(nouns, noun))
    branch = joined(full, words([place.name for place in CITIES], city))
    member = pa.array(root != np.arange(len(root)))
    last = words(legal, city * 4 + rng.integers(4, size=len(root)))
    return joined(pc.if_else(member, branch, full), last)


def _ascii(names: list[str]) -> list[str]:
    return [unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower() for name in names]
