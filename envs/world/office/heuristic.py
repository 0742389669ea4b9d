"""The simple heuristic of the office: what the words of a job suggest, by the commonest rule."""

from __future__ import annotations

import re
from collections.abc import Sequence

_ID = re.compile(r"\b([TM]-\d+)\b")
_PATH = re.compile(r"/[a-z]+(?:/[\w-]+)+(?:\.txt)?")
_SUM = re.compile(r"(\d+) EUR")


def by_keywords(told: Sequence[str], replies: Sequence[str]) -> str:
    """Return the next command, from what was told and said so far.

    Tickets are read and approved if the sum is small; letters are read, and answered by a word that stands in them;
    boxes are looked through, and what is older than seven years shredded; lists are filtered by the words of the job;
    questions are answered with the number of lines that share a word. Then it is done.
    """
    said = [reply.removeprefix("Action: ") for reply in replies]
    heard = dict(zip(said, told[1:], strict=False))
    jobs = told[0].rpartition("\nJobs:\n")[2].split("\n")
    for job in jobs:
        for command in _steps(job, heard):
            if command not in said:
                return f"Action: {command}"
    return "Action: done"


def _steps(job: str, heard: dict[str, str]) -> list[str]:
    """List the commands for a job, as far as is known from what was heard."""
    steps: list[str] = []
    for name in _ID.findall(job):
        read = f"cat /{'tickets' if name[0] == 'T' else 'mail'}/{name}.txt"
        steps.append(read)
        if read in heard:
            steps.append(_ticket(name, heard[read]) if name[0] == "T" else _letter(name, heard[read].lower()))
    paths = _PATH.findall(job)
    number = job.partition(".")[0]
    if "answer " in job:
        steps += _question(job, number, heard)
    elif "/reports/" in job:
        state = next((word for word in ("open", "paid", "late", "cancelled") if f" {word} " in job), "open")
        path = next((path for path in paths if path.startswith("/reports")), "/reports/x.txt")
        steps.append(f"grep ,{state}$ /data/orders.csv | cut -d , -f 1 | sort -n > {path}")
    elif paths and paths[0].startswith("/archive"):
        steps.append(f"grep -r 20 {paths[0]}")
        for line in heard.get(steps[-1], "").split("\n"):
            path, _, text = line.partition(":")
            years = re.findall(r"\b(20\d\d)\b", text)
            if years and int(years[-1]) < 2026 and "inutes" not in text:
                steps.append(f"mv {path} /shred/")
    elif paths and paths[0].startswith("/incoming"):
        steps.append("cat /suppliers/codes.csv")
        codes = dict(row.split(",")[:2] for row in heard.get(steps[-1], "").split("\n") if "," in row)
        for path in paths:
            if path.startswith("/incoming"):
                steps.append(f"cat {path}")
                steps += _scan(path, heard.get(steps[-1], ""), codes)
    return steps


def _ticket(name: str, text: str) -> str:
    sums = [int(one) for one in _SUM.findall(text)]
    return f"ticket approve {name}" if sums and max(sums) < 200 else f"ticket reject {name}"


def _letter(name: str, text: str) -> str:
    template = "copy" if "invoice" in text or "bill" in text else "apology" if "order" in text else "received"
    return f"mail reply {name} {template}"


def _question(job: str, number: str, heard: dict[str, str]) -> list[str]:
    words = re.findall(r"\b[A-Z][a-z]{3,}\b", job)
    state = next((word for word in ("open", "paid", "late", "cancelled") if f" {word}" in job), "came")
    country = words[1] if len(words) > 1 else words[0] if words else "a"
    asked = (
        f"grep {country} /data/orders.csv | grep -c {state}"
        if state != "came"
        else "cut -d ' ' -f 1 /logs/door.log | uniq -c"
    )
    found = heard.get(asked, "").split()
    return [asked, f"answer {number} {found[0]}"] if found else [asked]


def _scan(path: str, text: str, codes: dict[str, str]) -> list[str]:
    code = next((code for company, code in codes.items() if company in text), "")
    numbers = re.findall(r"\b(\d{3,4})\b(?! EUR)", text)
    if not code or not numbers:
        return []
    folder = "offers" if "ffer" in text else "deliveries" if "eliver" in text else "invoices"
    return [f"mv {path} /files/{folder}/{code}-{numbers[0]}.txt"]
