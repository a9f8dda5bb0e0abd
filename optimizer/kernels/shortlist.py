"""The few options of each unit that are worth most at given prices."""

from __future__ import annotations

import numpy as np

from optimizer.kernels.bare import bare
from optimizer.kernels.pricing import amount_of, row_of


@bare()
def shortlist(  # type: ignore[no-untyped-def]
    first, last, start, rep, value, unit_coef, option_coef, unit_row, rep_row, factor, prices, always, option, worth
):
    """For units `first` to `last`: fills `option` [U, W] with the W options of largest price-adjusted value, best first
    (-1 where there are fewer), and `worth` [U, W] with those values.

    `prices` [R + 1] ends with a 0 (row -1). The option `always` [U] (-1: none) is the last one where it would miss.
    """
    width = option.shape[1]
    for u in range(first, last):
        count, kept, own = 0, False, 0.0
        for k in range(start[u], start[u + 1]):
            adjusted = value[k]
            for f in range(len(factor)):
                row = row_of(f, u, rep[k], unit_row, rep_row, factor)
                if row >= 0:
                    adjusted -= prices[row] * amount_of(f, u, k, unit_coef, option_coef, factor)
            if k == always[u]:
                own = adjusted
            if count == width and adjusted <= worth[u, width - 1]:
                continue
            i = count if count < width else width - 1
            while i > 0 and worth[u, i - 1] < adjusted:
                worth[u, i], option[u, i] = worth[u, i - 1], option[u, i - 1]
                i -= 1
            worth[u, i], option[u, i] = adjusted, k
            count = min(count + 1, width)
        for i in range(count):
            kept |= option[u, i] == always[u]
        if always[u] >= 0 and not kept:
            i = min(count, width - 1)
            worth[u, i], option[u, i] = own, always[u]
            count = min(count + 1, width)
        for i in range(count, width):
            worth[u, i], option[u, i] = -np.inf, -1
