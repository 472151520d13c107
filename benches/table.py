#!/usr/bin/env python3
"""Prints what the benches measured, as the tables of docs/BENCHMARKS.md. A table whose bench was not run is left out.

A time is criterion's estimate of the mean or, where it has one, of the slope. Ratios are to the first mode of the same
workload in the same run: on another machine the times differ and the ratios less.
"""
import json
import os
import pathlib

TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "target"))
CRITERION = TARGET / "criterion"
# The rivals are another workspace. Each group is compared with its first lookup.
RIVALS = TARGET / "rivals" / "criterion"
RIVAL_GROUPS = [
    ("text to place and district", ["ours", "HashMap", "fst", "redb", "SQLite", "ours, whole record"], 1),
    ("batch of 100 texts", ["ours", "HashMap", "ours, whole records"], 100),
    ("place of a postcode", ["ours", "HashMap", "HashMap, foldhash", "sorted array"], 1),
    ("one hot lookup", ["sync", "dyn"], 1),
    ("autocomplete", ["ours", "fst"], 1),
    ("nearest 1", ["ours", "kiddo"], 1),
    ("nearest 10", ["ours", "kiddo"], 1),
    ("nearest 100", ["ours", "kiddo"], 1),
    ("parse", ["hot", "random"], 1),
]
MODES = ["sync", "dyn", "unix", "tcp"]
WORKLOADS = [
    ("hit", 1), ("random", 1), ("miss", 1), ("terminated", 1), ("batch of 10", 10), ("batch of 100", 100),
    ("autocomplete", 1), ("nearest", 1),
]
PEERS = ["dyn", "tcp", "postgis"]
PEER_WORKLOADS = [("lookup", 1), ("batch of 100", 100), ("autocomplete", 1), ("nearest", 1),
                  ("circle", 1), ("polygon", 1), ("district, 100", 1)]
STARTS = ["nothing", "mapped", "embedded", "embedded, whole"]
SEAM = ["bare", "local", "promotion", "ledger"]
ENCODINGS = ["compact", "JSON"]
ENCODED = [("embedded, 100", 100), ("embedded, 1000", 1000), ("all columns, 100", 100), ("all columns, 1000", 1000)]


def nanoseconds(group, mode, folder=CRITERION):
    estimates = json.loads((folder / group / mode / "new" / "estimates.json").read_text())
    return (estimates.get("slope") or estimates["mean"])["point_estimate"]


def shown(ns):
    for unit, size in (("ms", 1e6), ("µs", 1e3)):
        if ns >= size:
            return f"{ns / size:.3g} {unit}"
    return f"{ns:.3g} ns"


def row(cells):
    print("| " + " | ".join(cells) + " |")


def table(workloads, modes, group="{}"):
    row(["workload"] + [f"`{mode}`" for mode in modes] + [f"`{mode}` / `{modes[0]}`" for mode in modes[1:]])
    row(["---"] + ["---:"] * (2 * len(modes) - 1))
    for workload, size in workloads:
        times = [nanoseconds(group.format(workload), mode) for mode in modes]
        ratios = [time / times[0] for time in times[1:]]
        name = workload + (", each" if size > 1 else "")
        row([name] + [shown(time / size) for time in times]
            + [f"{ratio:,.3g}" if ratio < 100 else f"{ratio:,.0f}" for ratio in ratios])
    print()


def rivals():
    row(["question", "who", "time", "to the first"])
    row(["---", "---", "---:", "---:"])
    for question, lookups, size in RIVAL_GROUPS:
        times = [nanoseconds(f"rivals {question}", lookup, RIVALS) for lookup in lookups]
        for lookup, time in zip(lookups, times):
            name = question + (", each" if size > 1 else "")
            row([name, lookup, shown(time / size), f"{time / times[0]:.2f}"])
    print()


def starts():
    row(["cold start", "time", "more than `nothing`"])
    row(["---", "---:", "---:"])
    times = [nanoseconds("cold start", start) for start in STARTS]
    for start, time in zip(STARTS, times):
        row([f"`{start}`", shown(time), "" if start == "nothing" else shown(time - times[0])])
    print()


if (CRITERION / "hit" / "sync").exists():
    table(WORKLOADS, MODES)
if (CRITERION / "hit" / "bare").exists():
    table([("hit", 1), ("random", 1)], SEAM)
if (CRITERION / "embedded, 100").exists():
    table(ENCODED, ENCODINGS)
if (CRITERION / "peers lookup").exists():
    table(PEER_WORKLOADS, PEERS, "peers {}")
if RIVALS.exists():
    rivals()
if (CRITERION / "cold start").exists():
    starts()
