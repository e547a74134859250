"""What Ninja would run, and why, in our words."""

import re
import subprocess

FAULTS = (
    (r"output (\S+) doesn't exist", "not made yet"),
    (r"command line not found in log for (\S+)", "not made yet"),
    (r"command line changed for (\S+)", "other options"),
)
OLDER = re.compile(r"(?:output|recorded mtime of) (\S+) (?:of .* )?older than most recent input (\S+)")


def reasons(explained, by_product):
    """Stage id -> why it runs, of Ninja's explanations. Of stages that only wait for others nothing is said."""
    found = {}
    for line in explained.splitlines():
        line = line.removeprefix("ninja explain: ")
        for pattern, reason in FAULTS:
            if (match := re.match(pattern, line)) and match[1] in by_product:
                found.setdefault(by_product[match[1]].id, reason)
        if (match := OLDER.match(line)) and match[1] in by_product:
            found.setdefault(by_product[match[1]].id, older(match[2], by_product))
    return found


def older(path, by_product):
    if path in by_product:
        return f"{by_product[path].id} was made anew"
    if path.startswith("read/"):
        return "its script, or what it reads of the repository, has changed"
    return f"{path} has changed"


def plan(ninja, targets, stages):
    """(stage, why it would run or None) of each stage, in their order."""
    done = subprocess.run([*ninja, "-n", "-d", "explain", *targets], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(done.stderr.strip() or done.stdout.strip())
    by_product = {stage.product: stage for stage in stages}
    runs = {stage.id for stage in stages if re.search(rf"^\[\d+/\d+\] {re.escape(stage.id)}, ", done.stdout, re.MULTILINE)}
    own, out = reasons(done.stderr + done.stdout, by_product), []
    for stage in stages:
        why = None
        if stage.id in runs:
            needed = {stage.resolved(reference) for _, reference in stage.references()}
            before = [other.id for other in stages if other.id in needed & runs]
            why = own.get(stage.id) or (f"after {before[-1]}" if before else "wanted")
        out.append((stage, why))
    return out
