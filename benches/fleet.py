#!/usr/bin/env python3
"""Measures how long fifty programs take to acknowledge one change of their plan.

    cargo build --release --locked -p postcode-service -p customers
    benches/fleet.py

Starts a postcode-service that keeps a plan and fifty programs `customers` that follow it, asks them for maps all the time,
changes the plan ten times, and prints the time from each PUT until all have acknowledged it. Fails if a call failed.
"""

import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

ROOT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
BIN = os.environ.get("POSTCODE_BIN") or os.path.join(os.environ.get("CARGO_TARGET_DIR", os.path.join(ROOT, "target")), "release")
PROGRAMS, CALLERS = 50, 5
PLANS = "shadow:20% canary:50% remote-with-fallback canary:20% shadow local canary:50% remote-with-fallback shadow:5% local".split()


def ask(url, method="GET", body=None):
    """The result of a request with JSON."""
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, method=method, data=data, headers={"content-type": "application/json"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return json.load(answer)["result"]


def acknowledged(service, revision):
    """Waits until all programs follow a revision."""
    while ask(service + "/promotion/fleet")["acknowledged"] != [{"revision": revision, "processes": PROGRAMS}]:
        time.sleep(0.001)


def main():
    programs, stop, calls, failures = [], threading.Event(), [0] * CALLERS, []

    def start(*arguments):
        program = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        programs.append(program)
        return program.stdout.readline().split()[-1]

    def call(caller, addresses):
        connections = [http.client.HTTPConnection(address.split("//")[1], timeout=30) for address in addresses]
        while not stop.is_set():
            connection = connections[calls[caller] % len(connections)]
            connection.request("GET", "/postcodes/SW1A1AA/map?radius=100")
            answer = connection.getresponse()
            body = answer.read()
            calls[caller] += 1
            if answer.status != 200:
                failures.append((answer.status, body[:200]))
            time.sleep(0.002)

    with tempfile.TemporaryDirectory() as folder:
        try:
            service = start(f"{BIN}/postcode-service", "serve", "--listen", "127.0.0.1:0", "--fleet", f"{folder}/fleet.json")
            addresses = [
                start(f"{BIN}/customers", "serve", "--listen", "127.0.0.1:0", "--database", f"sqlite://{folder}/{number}.db",
                      "--promote-to", service, "--fleet", service, "--fleet-state", f"{folder}/{number}.json",
                      "--fleet-name", f"program-{number}", "--recheck-every", "1h")
                for number in range(PROGRAMS)
            ]
            acknowledged(service, 0)
            callers = [threading.Thread(target=call, args=(n, addresses[n::CALLERS])) for n in range(CALLERS)]
            for caller in callers:
                caller.start()
            # Fifty programs that have just started open the country at their first call.
            time.sleep(8)
            cold, warm = len(failures), sum(calls)
            print(f"{PROGRAMS} programs; {warm} calls in the first seconds, {cold} failed")
            for plan in PLANS:
                began = time.monotonic()
                revision = ask(service + "/promotion/plan", "PUT", {"plan": plan})["revision"]
                acknowledged(service, revision)
                took = time.monotonic() - began
                time.sleep(2)
                print(f"{plan:22}{took * 1000:8.0f} ms{sum(calls) - warm:9} calls{len(failures) - cold:4} failed")
            stop.set()
            for caller in callers:
                caller.join()
            if len(failures) > cold:
                sys.exit(f"FAILED: {failures[cold:][:3]}")
        finally:
            stop.set()
            for program in programs:
                program.send_signal(signal.SIGTERM)
            for program in programs:
                program.wait()


if __name__ == "__main__":
    main()
