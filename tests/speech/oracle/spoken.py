#!/usr/bin/env python3
"""Writes the tables the tests beside it compare with: numbers and amounts in words from two programs not ours.

    python3 -m venv target/oracle-venv && target/oracle-venv/bin/pip install num2words==0.5.14
    target/oracle-venv/bin/python tests/speech/oracle/spoken.py

numbers.tsv: ICU's spell-out rules (any libicui18n): number, Spanish alone, Spanish before a masculine noun, English.
amounts.tsv: num2words: centavos, Spanish pesos, Spanish dollars, English pesos, English dollars.
"""

import ctypes
import ctypes.util
import pathlib
import random
import re

from num2words import num2words

SEED = 20_260_301
HERE = pathlib.Path(__file__).resolve().parent
LARGEST = 999_999_999


def main():
    chosen = random.Random(SEED)
    columns = [
        Spellout("es_MX", "%spellout-numbering"),
        Spellout("es_MX", "%spellout-cardinal-masculine"),
        Spellout("en_US", "%spellout-cardinal"),
    ]
    source = f"ICU {columns[0].version}"
    table("numbers.tsv", source, numbers(chosen), lambda number: [spell(number) for spell in columns])
    forms = [(language, currency) for language in ("es", "en") for currency in ("MXN", "USD")]
    table(
        "amounts.tsv",
        "num2words 0.5.14",
        amounts(chosen),
        lambda centavos: [num2words(centavos, to="currency", lang=lang, currency=currency) for lang, currency in forms],
    )


def numbers(chosen):
    """0 to 1999, the edges of every power of ten and of every million, and as many random ones of each length."""
    starts = {10**power * digit for power in range(3, 9) for digit in (1, 2, 21, 31, 99, 100, 101, 121, 999)}
    edges = {start + step for start in starts for step in (-1, 0, 1, 21, 1000)}
    scattered = {chosen.randrange(10 ** (length - 1), 10**length) for length in range(4, 10) for _ in range(500)}
    return sorted(number for number in set(range(2000)) | edges | scattered if number <= LARGEST)


def amounts(chosen):
    """Every centavo below two pesos, edges, and random amounts of each length."""
    units = (0, 1, 2, 21, 100, 101, 1000, 21_000, 10**6, 2 * 10**6, 10**6 + 1, LARGEST)
    edges = {unit * 100 + cents for unit in units for cents in (0, 1, 2, 10, 21, 31, 50, 99)}
    scattered = {chosen.randrange(10 ** (length - 1), 10**length) for length in range(3, 12) for _ in range(100)}
    return sorted(set(range(200)) | edges | scattered)


class Spellout:
    """One of ICU's rule sets, through its C interface, whose names end in the major version."""

    def __init__(self, locale, ruleset):
        path = ctypes.util.find_library("icui18n")
        self.version = re.search(r"\.so\.(\d+)", path)[1]
        library = ctypes.CDLL(path)
        self.format = getattr(library, f"unum_formatInt64_{self.version}")
        error = ctypes.c_int(0)
        create = getattr(library, f"unum_open_{self.version}")
        create.restype = ctypes.c_void_p
        self.rules = ctypes.c_void_p(create(5, None, 0, locale.encode(), None, ctypes.byref(error)))
        name = ruleset.encode("utf-16-le")
        select = getattr(library, f"unum_setTextAttribute_{self.version}")
        select(self.rules, 6, ctypes.c_char_p(name + b"\0\0"), len(ruleset), ctypes.byref(error))
        if error.value > 0:
            raise SystemExit(f"ICU has no {ruleset} for {locale}: error {error.value}")

    def __call__(self, number):
        error, room = ctypes.c_int(0), ctypes.create_string_buffer(1000)
        length = self.format(self.rules, ctypes.c_int64(number), room, 500, None, ctypes.byref(error))
        return room.raw[: 2 * length].decode("utf-16-le").replace("\u00ad", "")


def table(name, source, values, row):
    lines = [f"# {source}, seed {SEED}, {len(values)} rows; written by spoken.py"]
    lines += ["\t".join([str(value), *row(value)]) for value in values]
    (HERE / name).write_text("\n".join(lines) + "\n")
    print(name, len(values), "rows")


if __name__ == "__main__":
    main()
