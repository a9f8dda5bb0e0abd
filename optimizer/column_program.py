"""The linear program over books of reps (`optimizer.columns`), in HiGHS: one book each, every unit in one of them at most.

Units and rows that reps share may be missed at what they cost about (box steps: du Merle, Villeneuve, Desrosiers and Hansen
1999), so that prices stay near those that have proved most. No bound rests on what HiGHS says: its prices are only tried.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

import highspy
import numpy as np
from scipy.sparse import csr_array

from optimizer.columns import Duals, Lister, RepBooks
from optimizer.core import Core
from optimizer.linear_program import quiet

#: how far prices may move from the centre, as a share of themselves or of the usual price, and so many times as far next
BOX, WIDER = 0.02, 5.0
#: HiGHS's names of the simplex methods
DUAL, PRIMAL = 1, 4


class StuckError(Exception):
    """The program cannot be solved, or there are more books than can be listed or sought among."""


class Program:
    """Rows: units, rows that reps share, reps, then triples."""

    def __init__(self, core: Core, lister: Lister, reps: list[RepBooks], primal: bool = False) -> None:
        self.primal = primal
        self.core, self.lister, self.reps = core, lister, reps
        self.triples = np.zeros((0, 3), dtype=np.int64)
        self.linking = core.units + len(lister.shared)
        self.held: list[tuple[int, np.ndarray]] = []  # (place of the rep, book) of every column
        self.solver = quiet()
        self.solver.setOptionValue("presolve", "off")
        # at the costs as they are: within their box prices are not degenerate, and a solution that is cut short is a bound
        self.solver.setOptionValue("dual_simplex_cost_perturbation_multiplier", 0.0)
        inf, shared = highspy.kHighsInf, lister.shared
        low = np.concatenate([np.where(core.mandatory, 1.0, -inf), core.lower[shared], np.ones(len(reps))])
        high = np.concatenate([np.ones(core.units), core.upper[shared], np.ones(len(reps))])
        for sides in zip(np.clip(low, -inf, inf), np.clip(high, -inf, inf), strict=True):
            self.solver.addRow(*sides, 0, [], [])
        self.solver.changeObjectiveSense(highspy.ObjSense.kMaximize)
        soft = np.flatnonzero(np.isfinite(core.penalty[shared]))
        for i in soft.tolist():
            for sign in (-1.0, 1.0):  # over, then under
                self.solver.addCol(-core.penalty[shared[i]], 0.0, inf, 1, [core.units + i], [sign])
        self.box = self.solver.getNumCol()
        for i in range(self.linking):
            for sign in (1.0, -1.0):
                self.solver.addCol(0.0, 0.0, inf, 1, [i], [sign])
        self.first = self.solver.getNumCol()
        self.hurry(None)

    def centre(self, duals: Duals, least: float = 0.0) -> None:
        """Let prices move only so far from these, and at least so much."""
        price = np.append(duals.unit, duals.row[self.lister.shared])
        self.middle = price, np.maximum(least, BOX * np.maximum(np.abs(price), np.median(np.abs(price))))
        self._box()

    def widen(self) -> None:
        """Let prices move farther."""
        self.middle = self.middle[0], WIDER * self.middle[1]
        self._box()

    def _box(self) -> None:
        price, far = self.middle
        cost = np.column_stack([price - far, -(price + far)]).ravel()
        at = np.arange(self.box, self.box + 2 * self.linking, dtype=np.int32)
        self.solver.changeColsCost(len(at), at, cost)

    @property
    def boxed(self) -> bool:
        """Whether the last solution misses units or rows, for prices may not move farther."""
        return bool((np.array(self.solver.getSolution().col_value)[self.box : self.first] > 1e-9).any())

    def add(self, place: int, books: np.ndarray, worth: np.ndarray, twice: np.ndarray) -> None:
        """Books [N, k] of the rep at a place, what they are worth [N] and which triples they hold two of [C, N]."""
        if not len(books):
            return
        matrix = columns_of(self, place, books, twice)
        count, inf = len(books), highspy.kHighsInf
        self.solver.addCols(
            count, worth, np.zeros(count), np.full(count, inf), matrix.nnz,
            matrix.indptr[:-1].astype(np.int32), matrix.indices.astype(np.int32), matrix.data,
        )  # fmt: skip
        self.held += [(place, book) for book in books]

    def keep(self, some: np.ndarray) -> np.ndarray:
        """Hold only the books that are true in `some` [N] and those of the basis of the last solution; which these are [N]."""
        status = self.solver.getBasis().col_status[self.first :]
        stays = some | np.array([is_at == highspy.HighsBasisStatus.kBasic for is_at in status], dtype=bool)
        out = (np.flatnonzero(~stays) + self.first).astype(np.int32)
        self.solver.deleteCols(len(out), out)
        self.held = [held for held, stay in zip(self.held, stays, strict=True) if stay]
        return stays

    def cut(self, triples: np.ndarray) -> None:
        """No more than one book holds two units of any of these triples [C, 3]."""
        two = np.zeros((len(triples), len(self.held)), dtype=bool)
        for place, rep in enumerate(self.reps):
            mine = [j for j, (at, _) in enumerate(self.held) if at == place]
            if mine:
                two[:, mine] = rep.two_of(np.array([self.held[j][1] for j in mine]), triples)
        for c in range(len(triples)):
            at = np.flatnonzero(two[c])
            self.solver.addRow(-highspy.kHighsInf, 1.0, len(at), (at + self.first).astype(np.int32), np.ones(len(at)))
        self.triples = np.concatenate([self.triples, triples])

    def solve(self) -> tuple[float, Duals]:
        """What the program is worth, and its prices."""
        if self.solver.run() == highspy.HighsStatus.kError:
            raise StuckError
        dual = np.array(self.solver.getSolution().row_dual)
        return float(self.solver.getInfo().objective_function_value), self.duals(dual)

    def duals(self, dual: np.ndarray) -> Duals:
        """Prices of the program's rows as they may be."""
        units, row = self.core.units, np.zeros(self.core.rows)
        row[self.lister.shared] = dual[units : self.linking]
        return self.lister.admissible(Duals(dual[:units], row, dual[self.linking + len(self.reps) :]))

    @property
    def shares(self) -> np.ndarray:
        """[N] how much of each book the last solution takes."""
        return np.array(self.solver.getSolution().col_value)[self.first :]

    def taken(self) -> list[tuple[int, np.ndarray, float]]:
        """(place of the rep, book, share) of the books that the last solution takes."""
        shares = self.shares
        return [(*self.held[j], float(shares[j])) for j in np.flatnonzero(shares > 1e-7)]

    def allow(self, able: np.ndarray) -> None:
        """Only the books that are true in `able` [N] may be taken."""
        at = np.arange(self.first, self.first + len(able), dtype=np.int32)
        self.solver.changeColsBounds(len(at), at, np.zeros(len(at)), np.where(able, highspy.kHighsInf, 0.0))

    @property
    def basis(self) -> highspy.HighsBasis:
        """The last solution's basis."""
        return self.solver.getBasis()

    def begin_at(self, basis: highspy.HighsBasis) -> None:
        """Solve from a basis on, new books out."""
        more = self.solver.getNumCol() - len(basis.col_status)
        if more:
            basis.col_status = [*basis.col_status, *[highspy.HighsBasisStatus.kLower] * more]
        self.solver.setBasis(basis)

    def worths(self, some: Iterable[np.ndarray], steps: int, over: Callable[[], bool]) -> list[float]:
        """What the program is worth at most with only those books that are true in each of `some` [N]: after so many steps of the
        simplex from the last solution on, where it is again in the end; inf for those that are left when it is over."""
        basis, found = self.basis, []
        self.hurry(steps)
        for able in some:
            if over():
                found.append(np.inf)
                continue
            self.begin_at(basis)
            self.allow(able)
            found.append(self.solve()[0])
        self.hurry(None)
        self.begin_at(basis)
        return found

    def hurry(self, steps: int | None) -> None:
        """No more steps of the simplex than these from now on; None: as many as it takes."""
        self.solver.setOptionValue("simplex_strategy", PRIMAL if self.primal and steps is None else DUAL)
        self.solver.setOptionValue("simplex_iteration_limit", 2**31 - 1 if steps is None else steps)


def columns_of(program: Program, place: int, books: np.ndarray, twice: np.ndarray) -> csr_array:
    """[N, rows] what books [N, k] of the rep at a place use of the program's rows."""
    rep, count = program.reps[place], len(books)
    at, item = np.nonzero(books)
    amount = books @ program.lister.other[rep.option]
    row, r = np.nonzero(amount)
    c, cut = np.nonzero(twice)
    rows = np.concatenate([at, row, np.arange(count), cut])
    columns = np.concatenate(
        [
            rep.unit[item],
            program.core.units + r,
            np.full(count, program.linking + place),
            program.linking + len(program.reps) + c,
        ]
    )
    data = np.concatenate([np.ones(len(at)), amount[row, r], np.ones(count), np.ones(len(cut))])
    shape = (count, program.linking + len(program.reps) + len(twice))
    out = csr_array((data, (rows, columns)), shape=shape)
    out.sort_indices()
    return out
