"""Runs the code blocks of docs/guides that say so, and compares what they print with the block `text` after each.

    ```sh run          the blocks of a language with one mark are one program, in the order of the page
    ```python frame    another mark than `run`: only if the machine has what NEEDS says
"""

import importlib.util
import re
import shutil
import subprocess
import sys
from pathlib import Path

URL, FOLDER = sys.argv[1], Path(sys.argv[2])
ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^```(\w+)(?: (\w+))?\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def answers(*command):
    return shutil.which(command[0]) and subprocess.run(command, capture_output=True, timeout=60).returncode == 0


PSQL = ["psql", "-X", "-q", "-A", "-t", "-w", "-h", "127.0.0.1", "-U", "postgres", "-v", "ON_ERROR_STOP=1"]
RUN = {
    "sh": (["bash", "-euo", "pipefail"], ".sh", ""),
    "js": (["node"], ".mjs", ""),
    "python": ([sys.executable], ".py", 'URL = "http://localhost:8000"\n'),
    "sql": ([*PSQL, "-f"], ".sql", ""),
}
NEEDS = {
    ("sh", "run"): lambda: shutil.which("curl"),
    ("js", "run"): lambda: shutil.which("node"),
    ("python", "run"): lambda: True,
    ("python", "frame"): lambda: importlib.util.find_spec("pandas"),
    ("python", "duckdb"): lambda: importlib.util.find_spec("duckdb"),
    ("sh", "duckdb"): lambda: shutil.which("duckdb"),
    ("sh", "mcp"): lambda: answers("postcode-service", "mcp", "--help"),
    ("sql", "run"): lambda: answers(*PSQL, "-c", "SELECT 1"),
    ("sql", "http"): lambda: answers(*PSQL, "-c", "BEGIN; CREATE EXTENSION IF NOT EXISTS http; ROLLBACK"),
}

ran, failed = 0, 0
for guide in sorted((ROOT / "docs/guides").glob("*.md")):
    programs = {}
    last = None
    for language, mark, code in BLOCK.findall(guide.read_text()):
        if mark:
            last = programs.setdefault((language, mark), ["", ""])
            last[0] += code + "\n"
        elif language == "text" and last:
            last[1] += code
            last = None
    for (language, mark), (code, due) in programs.items():
        name = f"{guide.name}: {language} {mark}"
        if not NEEDS[language, mark]():
            print(f"skipped: {name}: the machine does not have what it needs")
            continue
        command, ending, before = RUN[language]
        program = FOLDER / f"{guide.stem}-{mark}{ending}"
        program.write_text((before + code).replace("http://localhost:8000", URL))
        done = subprocess.run([*command, program], capture_output=True, text=True, timeout=120)
        # The ends of lines differ between programs, and curl ends none.
        if done.returncode != 0 or "".join(done.stdout.split()) != "".join(due.split()):
            failed += 1
            print(f"FAILED: {name}: status {done.returncode}\n{done.stdout}{done.stderr}\ninstead of\n{due}")
        ran += 1
if failed or not ran:
    sys.exit(1)
print(f"ok: {ran} programs of the guides print what the guides say")
