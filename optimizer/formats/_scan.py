"""What the bytes of a delimited text file say about themselves: encoding, separator, where records end."""

from __future__ import annotations

import csv
import io
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from optimizer.errors import Finding, Findings
from optimizer.formats.base import unreadable

DELIMITERS = (",", ";", "\t", "|")
QUOTE, LINE_FEED, RETURN = 34, 10, 13
#: A compressed file may grow to this many bytes, and to this many times its size.
MAX_BYTES, MAX_RATIO = 500_000_000, 100
_BOMS = (
    (b"\xef\xbb\xbf", "utf-8"),
    (b"\xff\xfe\x00\x00", "utf-32-le"),
    (b"\x00\x00\xfe\xff", "utf-32-be"),
    (b"\xff\xfe", "utf-16-le"),
    (b"\xfe\xff", "utf-16-be"),
)


@dataclass(frozen=True, slots=True)
class Records:
    """Byte offsets `[start, end)` of every line outside quotes, blank ones too; line i is spreadsheet row i + 1."""

    starts: npt.NDArray[np.int64]
    ends: npt.NDArray[np.int64]


def load(path: Path) -> bytes:
    """The bytes of a file, unpacked when it is `.gz` but never beyond `MAX_BYTES` or `MAX_RATIO`."""
    if path.suffix.lower() != ".gz":
        return path.read_bytes()
    packed = path.read_bytes()
    limit = min(MAX_BYTES, max(10_000_000, MAX_RATIO * len(packed)))
    parts, size, rest = [], 0, packed
    try:
        while rest:
            unpacker = zlib.decompressobj(wbits=31)
            parts.append(unpacker.decompress(rest, limit - size + 1))
            size += len(parts[-1])
            if size > limit:
                raise unreadable(path.name, f"unpacks to more than {limit:,} bytes", "send the table unpacked")
            if not unpacker.eof:
                raise zlib.error("it ends too early")
            rest = unpacker.unused_data.lstrip(b"\0")
    except zlib.error as error:
        raise unreadable(path.name, f"is not a whole gzip file: {error}", "compress it again") from None
    return b"".join(parts)


def decode(data: bytes, file: str) -> tuple[bytes, Findings]:
    """The text as UTF-8 without byte-order mark, with a warning where the encoding had to be inferred."""
    encoding = next((name for mark, name in _BOMS if data.startswith(mark)), None) or _utf16_without_mark(data)
    if encoding and encoding != "utf-8":
        try:
            return data.decode(encoding).removeprefix("\ufeff").encode(), Findings()
        except UnicodeError as error:
            raise unreadable(file, f"is not valid {encoding.upper()}: {error}", "save it as CSV UTF-8") from None
    data = data.removeprefix(_BOMS[0][0])
    try:
        data.decode("utf-8")
    except UnicodeDecodeError as error:
        return _windows(data, error, file)
    return data, Findings()


def _windows(data: bytes, error: UnicodeDecodeError, file: str) -> tuple[bytes, Findings]:
    """Text that is not UTF-8: Windows-1252 if every byte has a meaning there and little of it looks like UTF-8."""
    row = row_at(data, error.start)
    seen = data[error.start : error.end].hex(" ")
    lenient = data.decode("utf-8", errors="replace")
    good = sum(1 for c in lenient if c > "\x7f" and c != "\ufffd") if encoded_mostly_ascii(data) else 1
    try:
        text = data.decode("cp1252")
    except UnicodeDecodeError:
        text = ""
    if not text or good > lenient.count("\ufffd"):
        raise unreadable(
            file, f"the bytes {seen} are neither UTF-8 nor Windows-1252 text", "save the file as CSV UTF-8", row
        )
    warning = Finding(
        Path(file).stem,
        "the file is not UTF-8; it was read as Windows-1252",
        "check accented letters, or save it as CSV UTF-8",
        row,
        None,
        seen,
        "warning",
        file,
    )
    return text.encode(), Findings((warning,))


def encoded_mostly_ascii(data: bytes) -> bool:
    """Whether counting the other characters one by one is affordable."""
    return int((np.frombuffer(data, np.uint8) > 127).sum()) < 5_000_000


def _utf16_without_mark(data: bytes) -> str | None:
    sample = np.frombuffer(data[:4096], np.uint8)
    if len(sample) < 4:
        return None
    even, odd = (sample[0::2] == 0).mean(), (sample[1::2] == 0).mean()
    if max(even, odd) < 0.4 or min(even, odd) > 0.05:
        return None
    return "utf-16-le" if odd > even else "utf-16-be"


def row_at(data: bytes, position: int) -> int:
    """The spreadsheet row in which a byte stands (line ends inside quotes do not count)."""
    view = np.frombuffer(data[:position], np.uint8)
    lines = np.flatnonzero(view == LINE_FEED)
    return 1 + int((np.searchsorted(np.flatnonzero(view == QUOTE), lines) % 2 == 0).sum())


def sniff(data: bytes) -> str:
    """The separator that splits the first lines into the most even columns; a comma when none does."""
    sample = data[:65_536].decode("utf-8", errors="ignore")
    if len(data) > 65_536:
        sample = sample[: sample.rfind("\n") + 1] or sample
    best, chosen = (0.0, 1), ","
    for delimiter in DELIMITERS:
        try:
            rows = [row for row in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter) if row][:200]
        except csv.Error:
            continue
        width = len(rows[0]) if rows else 1
        score = (sum(len(row) == width for row in rows) / max(len(rows), 1), width)
        if width > 1 and score > best:
            best, chosen = score, delimiter
    return chosen


def records(data: bytes, delimiter: str) -> Records | None:
    """Where the records are, when quotes and line ends follow the plain rules; None asks for a careful reader.

    Plain means: a quote opens a cell at its start, closes it at its end, and is doubled inside; lines
    end with LF or CR LF. By induction every odd quote then opens and every even one closes.
    """
    view = np.frombuffer(data, np.uint8)
    lines = np.flatnonzero(view == LINE_FEED)
    quotes = np.flatnonzero(view == QUOTE)
    if len(quotes):
        if len(quotes) % 2 or not _well_placed(view, quotes, ord(delimiter)):
            return None
        lines = lines[np.searchsorted(quotes, lines) % 2 == 0]
    returns = np.flatnonzero(view == RETURN)
    if len(quotes):
        returns = returns[np.searchsorted(quotes, returns) % 2 == 0]
    if len(returns) and (returns[-1] == len(view) - 1 or (view[returns + 1] != LINE_FEED).any()):
        return None
    starts = np.concatenate([[0], lines + 1])
    ends = np.concatenate([lines, [len(view)]])
    ends = ends - ((ends > starts) & (view[np.maximum(ends - 1, 0)] == RETURN))
    return Records(starts, ends)


def _well_placed(view: npt.NDArray[np.uint8], quotes: npt.NDArray[np.int64], delimiter: int) -> bool:
    before_ok, after_ok = np.zeros(256, bool), np.zeros(256, bool)
    before_ok[[delimiter, LINE_FEED, QUOTE]] = True
    after_ok[[delimiter, LINE_FEED, RETURN, QUOTE]] = True
    opening, closing = quotes[0::2], quotes[1::2]
    before = view[opening - 1]
    before_first = opening[0] == 0 or before_ok[before[0]]
    inner = closing[:-1] if closing[-1] == len(view) - 1 else closing
    doubled = (before[1:] != QUOTE) | (quotes[1:-1:2] == opening[1:] - 1)
    return bool(before_first and before_ok[before[1:]].all() and doubled.all() and after_ok[view[inner + 1]].all())
