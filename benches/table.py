#!/usr/bin/env python3
"""Prints what `cargo bench -p benches` measured, as the tables of docs/BENCHMARKS.md.

A time is criterion's estimate of the mean or, where it has one, of the slope. Ratios are to the first mode of the same
workload in the same run: on another machine the times differ and the ratios less.
"""
import json
import os
import pathlib

CRITERION = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", "target")) / "criterion"
MODES = ["sync", "dyn", "unix", "tcp"]
WORKLOADS = [
    ("hit", 1), ("random", 1), ("miss", 1), ("terminated", 1), ("batch of 10", 10), ("batch of 100", 100),
    ("autocomplete", 1), ("nearest", 1),
]
PEERS = ["dyn", "tcp", "postgis"]
PEER_WORKLOADS = [("lookup", 1), ("batch of 100", 100), ("autocomplete", 1), ("nearest", 1),
                  ("circle", 1), ("polygon", 1), ("district, 100", 1)]
STARTS = ["nothing", "mapped", "embedded"]


def nanoseconds(group, mode):
    estimates = json.loads((CRITERION / group / mode / "new" / "estimates.json").read_text())
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


table(WORKLOADS, MODES)
if (CRITERION / "peers lookup").exists():
    table(PEER_WORKLOADS, PEERS, "peers {}")
row(["cold start", "time", "more than `nothing`"])
row(["---", "---:", "---:"])
starts = [nanoseconds("cold start", start) for start in STARTS]
for start, time in zip(STARTS, starts):
    row([f"`{start}`", shown(time), "" if start == "nothing" else shown(time - starts[0])])
