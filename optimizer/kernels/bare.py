"""How loops are compiled that are called very often, and call each other, without making arrays."""

from __future__ import annotations

from functools import partial

from numba import njit

#: No counting of who uses an array: every function counts each array it is given, and takes that back, which made up more
#: than half of the time of a chain. Such a kernel cannot make an array (numba refuses to compile one that would); its
#: callers make, and hold, all there are. Division by zero gives inf or NaN, as in NumPy, so that calls need no way to fail.
bare = partial(njit, cache=True, nogil=True, error_model="numpy", _nrt=False)
