#!/usr/bin/env python3
"""Times our encoder against other runtimes, in alternation, on the same windows. Run it as scripts/bench/encoder."""

import argparse
import datetime
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from make_models import ATTENTION, MULTI_HEAD, make_models

ROOT = Path(__file__).resolve().parents[2]
MODEL = ROOT / "models/onrecord-small"
CASES = ("1x64", "1x256", "8x64", "8x256", "32x64", "32x256", "mix")
BATCH_SIZES = (1, 8, 32)

# One measurement takes at least this long, in seconds.
SHORTEST = 0.4
# Threads of a runtime may spin for a while after their work: the next contender waits until they sleep.
REST = 0.03
# A larger share of disturbed measurements than this, and the report says that it is not to be relied on.
TOLERATED_DISTURBANCES = 0.1
# Processor time that others may take during a measurement, as a share of its duration. More, and it is repeated.
DISTURBANCE = 0.1

OURS = {"f32": "onrecord f32", "int8": "onrecord int8"}
RIVALS = {
    "f32": ("ONNX Runtime fp32", "PyTorch fp32", "candle fp32"),
    "int8": ("ONNX Runtime int8", "ONNX Runtime int8, no AMX"),
}
SINGLE_PRECISION = (OURS["f32"], *RIVALS["f32"])
LARGEST_DIFFERENCE = 1e-3
LEAST_COSINE = 0.98


@dataclass
class Process:
    """One contender in one configuration, with its model loaded, waiting for requests."""

    contender: str
    configuration: str
    command: list
    threads: int
    batch_sizes: tuple = BATCH_SIZES
    ready: str = ""
    loaded_memory: float = 0.0
    pipe: subprocess.Popen = field(default=None, repr=False)

    def start(self):
        count = str(self.threads)
        environment = os.environ | {"OMP_NUM_THREADS": count, "MKL_NUM_THREADS": count, "RAYON_NUM_THREADS": count}
        self.pipe = subprocess.Popen(
            self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, env=environment)
        self.ready = self.answer()["ready"]
        self.pin()
        self.loaded_memory = self.memory("VmRSS")

    def pin(self):
        """Keeps the process on as many cores as it has threads.

        Only now that it is loaded: ONNX Runtime does not use AMX if it was started on a single core, though the
        kernel grants it. Pinned before the start, its int8 was slower by a fifth, and we looked better than we are.
        """
        cores = sorted(os.sched_getaffinity(0))[-self.threads:]
        for task in Path(f"/proc/{self.pipe.pid}/task").iterdir():
            os.sched_setaffinity(int(task.name), cores)

    def answer(self):
        line = self.pipe.stdout.readline()
        if not line:
            raise SystemExit(f"{self.contender} ({self.configuration}) has died; its message stands above")
        return json.loads(line)

    def ask(self, **request):
        self.pipe.stdin.write(json.dumps(request) + "\n")
        self.pipe.stdin.flush()
        return self.answer()

    def memory(self, field_name):
        """In MiB, as Linux counts it."""
        status = Path(f"/proc/{self.pipe.pid}/status").read_text()
        return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(field_name)) / 1024

    def processor_seconds(self):
        after_name = Path(f"/proc/{self.pipe.pid}/stat").read_text().rpartition(")")[2].split()
        return sum(map(int, after_name[11:13])) / os.sysconf("SC_CLK_TCK")

    def stop(self):
        self.pipe.stdin.close()
        self.pipe.wait()


def busy_seconds():
    """Processor time of the whole machine, what a hypervisor took for others included."""
    user, nice, system, _, _, interrupt, soft_interrupt, stolen = map(
        int, Path("/proc/stat").read_text().split("\n")[0].split()[1:9])
    return (user + nice + system + interrupt + soft_interrupt + stolen) / os.sysconf("SC_CLK_TCK")


class Clock:
    """Takes measurements, and takes them again when something else was running; only for so long, though."""

    def __init__(self, patience):
        self.patience = patience
        self.disturbed = 0
        self.taken = 0

    def seconds(self, process, case, batch, repeats):
        """Seconds for one pass over the case."""
        while True:
            time.sleep(REST)
            began, busy, own = time.monotonic(), busy_seconds(), process.processor_seconds()
            seconds = process.ask(case=case, batch=batch, repeats=repeats)["seconds"]
            others = (busy_seconds() - busy) - (process.processor_seconds() - own)
            # The kernel counts in hundredths: short measurements get the benefit of the doubt.
            quiet = others <= DISTURBANCE * seconds + 0.02
            if quiet or self.patience <= 0:
                self.taken += 1
                self.disturbed += not quiet
                return seconds / repeats
            time.sleep(1)
            self.patience -= time.monotonic() - began


@dataclass
class Choice:
    """The fastest configuration of a contender for a case."""

    process: Process
    batch: int
    repeats: int


def processes(home, threads, windows, programs):
    """All contenders in all configurations that may turn out to be their fastest."""
    python, here, models = sys.executable, Path(__file__).parent, home / "models"
    listed = []

    def add(contender, configuration, *command, **more):
        listed.append(Process(contender, configuration, [str(part) for part in command], threads, **more))

    for precision, contender in OURS.items():
        add(contender, "as in the product", programs["onrecord"], "run", windows, "--precision", precision,
            "--threads", threads, batch_sizes=(0,))
    add("PyTorch fp32", "sdpa", python, here / "run_torch.py", windows, MODEL, "--threads", threads)
    add("candle fp32", "stock", programs["candle"], windows, models / "plain_bert.safetensors",
        models / "plain_bert.json")
    shares = ("operators", "batches") if threads > 1 else ("operators",)
    has_amx = "amx_int8" in Path("/proc/cpuinfo").read_text()
    for graph, share in [(graph, share) for graph in (ATTENTION, f"{ATTENTION}.masked", MULTI_HEAD) for share in shares]:
        options = ["--threads", threads, "--share", share]
        run = [python, here / "run_onnx.py", windows]
        add("ONNX Runtime fp32", f"{graph}, threads share {share}", *run, models / f"{graph}.onnx", *options)
        for weights in ("QInt8", "QUInt8") if (graph, share) == (ATTENTION, "operators") else ("QInt8",):
            named = f"{graph}, {weights}, threads share {share}"
            quantised = models / f"{graph}.{weights}.onnx"
            add("ONNX Runtime int8", named, *run, quantised, *options)
            if has_amx:
                add("ONNX Runtime int8, no AMX", named, *run, quantised, *options, "--without-amx")
    return listed


def check(running, home, hidden):
    """All must compute the same, or there is nothing to compare."""
    def states(process, batch):
        file = home / "states.f32"
        process.ask(case="mix", batch=batch, states=str(file))
        return np.fromfile(file, "<f4").reshape(-1, hidden)

    reference = states(next(process for process in running if process.contender == "PyTorch fp32"), 8)
    findings = {}
    for process in running:
        found = states(process, 8)
        if found.shape != reference.shape or not np.isfinite(found).all():
            raise SystemExit(f"{process.contender} ({process.configuration}): states of {found.shape[0]} tokens, "
                             f"not {reference.shape[0]}, or not numbers")
        difference = float(np.abs(found - reference).max())
        cosines = (found * reference).sum(1) / np.linalg.norm(found, axis=1) / np.linalg.norm(reference, axis=1)
        cosine = float(cosines.mean())
        named = f"{process.contender} ({process.configuration})"
        findings[named] = {"largest_difference": difference, "mean_cosine": cosine, "least_cosine": float(cosines.min())}
        single = process.contender in SINGLE_PRECISION
        if difference > LARGEST_DIFFERENCE if single else cosine < LEAST_COSINE:
            raise SystemExit(f"{named} does not compute what PyTorch computes: {findings[named]}")
    return findings


def tune(clock, running, contenders, cases):
    """The fastest configuration and batch size of each contender for each case."""
    choices = {}
    for case in cases:
        for contender in contenders:
            fastest = math.inf
            for process in (process for process in running if process.contender == contender):
                for batch in process.batch_sizes:
                    if case[0].isdigit() and batch > int(case.partition("x")[0]):
                        continue
                    process.ask(case=case, batch=batch, repeats=1)
                    seconds = clock.seconds(process, case, batch, 1)
                    if seconds < 1.2 * fastest:
                        repeats = max(1, math.ceil(SHORTEST / 3 / seconds))
                        seconds = min(clock.seconds(process, case, batch, repeats) for _ in range(3))
                    if seconds < fastest:
                        fastest = seconds
                        repeats = max(1, math.ceil(SHORTEST / seconds))
                        choices[case, contender] = Choice(process, batch, repeats)
    return choices


def measure(clock, choices, tokens, contenders, cases, rounds):
    """Tokens a second: by case and contender, one figure for each round."""
    speeds = {case: {contender: [] for contender in contenders} for case in cases}
    for number in range(rounds):
        for case in cases:
            # Every other round goes the other way, so that nobody always comes after the same one.
            for contender in contenders if number % 2 == 0 else reversed(contenders):
                choice = choices[case, contender]
                seconds = clock.seconds(choice.process, case, choice.batch, choice.repeats)
                speeds[case][contender].append(tokens[case] / seconds)
        print(f"  round {number + 1} of {rounds}", file=sys.stderr)
    return speeds


def ratios(speeds, ours, theirs):
    each = [mine / other for mine, other in zip(speeds[ours], speeds[theirs])]
    return {"min": min(each), "median": statistics.median(each), "max": max(each)}


def run_with(threads, options, home, windows, programs, tokens, hidden):
    """Everything with one number of threads."""
    print(f"{threads} thread(s): loading and checking", file=sys.stderr)
    running = processes(home, threads, windows, programs)
    contenders = list(dict.fromkeys(process.contender for process in running))
    try:
        for process in running:
            process.start()
        findings = check(running, home, hidden)
        clock = Clock(options.patience)
        print("  looking for everyone's fastest configuration", file=sys.stderr)
        choices = tune(clock, running, contenders, options.cases)
        # Peaks so far are of loading and of choosing; a fresh start for each count.
        for process in running:
            process.stop()
        chosen = {id(choice.process): choice.process for choice in choices.values()}
        for process in chosen.values():
            process.start()
        for (case, _), choice in choices.items():
            choice.process.ask(case=case, batch=choice.batch, repeats=1)
        clock.taken = clock.disturbed = 0
        speeds = measure(clock, choices, tokens, contenders, options.cases, options.rounds)
        memory = {contender: {"loaded": process.loaded_memory, "peak": process.memory("VmHWM")}
                  for contender in contenders
                  for process in [choices[options.cases[-1], contender].process]}
    finally:
        for process in running:
            if process.pipe and process.pipe.poll() is None:
                process.pipe.kill()
    compared = {case: {f"{OURS[precision]} / {rival}": ratios(speeds[case], OURS[precision], rival)
                       for precision, rivals in RIVALS.items() for rival in rivals if rival in contenders}
                for case in options.cases}
    return {
        "threads": threads,
        "versions": sorted({process.ready for process in running}),
        "check_against_pytorch": findings,
        "tokens_per_second": speeds,
        "ratios": compared,
        "fastest_configuration": {
            case: {contender: {"configuration": choices[case, contender].process.configuration,
                               "batch": choices[case, contender].batch} for contender in contenders}
            for case in options.cases},
        "memory_mib": memory,
        "measurements": clock.taken,
        "disturbed_measurements": clock.disturbed,
    }


def row(cells):
    return "| " + " | ".join(cells) + " |"


def report(results, machine):
    lines = ["# How fast the encoder is", "", *(f"- {name}: {value}" for name, value in machine.items()), ""]
    for result in results:
        contenders = list(next(iter(result["tokens_per_second"].values())))
        lines += [f"## {result['threads']} thread(s)", "",
                  f"{result['disturbed_measurements']} of {result['measurements']} measurements were disturbed by "
                  "other processes.", ""]
        if result["disturbed_measurements"] > TOLERATED_DISTURBANCES * result["measurements"]:
            lines += ["**Not to be relied on: the machine was too busy.** With several threads that flatters us, for the "
                      "others' threads wait for each other after every operator.", ""]
        for precision, ours in OURS.items():
            rivals = [rival for rival in RIVALS[precision] if rival in contenders]
            lines += [row([f"{precision}: windows x tokens", f"{ours}, tokens/s", *(f"/ {rival}" for rival in rivals)]),
                      row(["---"] * (2 + len(rivals)))]
            for case, compared in result["ratios"].items():
                cells = [case, f"{statistics.median(result['tokens_per_second'][case][ours]):,.0f}"]
                for rival in rivals:
                    ratio = compared[f"{ours} / {rival}"]
                    cells.append(f"**{ratio['median']:.2f}** ({ratio['min']:.2f} to {ratio['max']:.2f})")
                lines.append(row(cells))
            lines.append("")
        lines += [row(["contender", "MiB loaded", "MiB peak", "its fastest configuration for the last case"]),
                  row(["---"] * 4)]
        last = list(result["fastest_configuration"].values())[-1]
        for contender in contenders:
            memory, fastest = result["memory_mib"][contender], last[contender]
            batch = f", batches of {fastest['batch']}" if fastest["batch"] else ""
            lines.append(row([contender, f"{memory['loaded']:.0f}", f"{memory['peak']:.0f}",
                              fastest["configuration"] + batch]))
        lines.append("")
    return "\n".join(lines)


def described_machine(versions, articles, weights):
    def said(*command):
        return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()

    processor = Path("/proc/cpuinfo").read_text()
    flags = next(line for line in processor.splitlines() if line.startswith("flags")).split()
    of_interest = [flag for flag in ("avx2", "avx512f", "avx512_vnni", "amx_int8") if flag in flags]
    model = next(line.partition(":")[2].strip() for line in processor.splitlines() if line.startswith("model name"))
    uncommitted = " with uncommitted changes" if said("git", "status", "--porcelain", "--untracked-files=no") else ""
    return {
        "Date": datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC"),
        "Commit": said("git", "rev-parse", "--short", "HEAD") + uncommitted,
        "Processor": f"{model}, {len(os.sched_getaffinity(0))} cores ({', '.join(of_interest)})",
        "Versions": ", ".join([*versions, f"Python {platform.python_version()}", said("rustc", "--version")]),
        "Weights": weights,
        "Text": articles.name,
    }


def main():
    parser = argparse.ArgumentParser(prog="scripts/bench/encoder", description=__doc__)
    parser.add_argument("articles", nargs="?", type=Path, default=ROOT / "../shared/data/polnear.dev.jsonl",
                        help="a directory of .txt files, or a .jsonl file (default: PolNeAR's development articles)")
    parser.add_argument("--threads", type=int, nargs="+", default=[1, 2])
    parser.add_argument("--cases", nargs="+", choices=CASES, default=list(CASES))
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--patience", type=float, default=300,
                        help="seconds, for each number of threads, to spend on repeating disturbed measurements")
    parser.add_argument("--home", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--onrecord", type=Path, required=True, help=argparse.SUPPRESS)
    parser.add_argument("--candle", type=Path, required=True, help=argparse.SUPPRESS)
    options = parser.parse_args()
    cores = len(os.sched_getaffinity(0))
    if max(options.threads) > cores:
        parser.error(f"there are only {cores} cores")

    home = options.home
    make_models(MODEL, home / "models")
    windows = home / "windows.json"
    subprocess.run([options.onrecord, "cut", options.articles, "--to", windows], check=True)
    cut = json.loads(windows.read_text())
    tokens = {case["name"]: sum(len(window["ids"]) for window in case["windows"]) for case in cut["cases"]}
    hidden = json.loads((MODEL / "config.json").read_text())["encoder"]["hidden_size"]
    programs = {"onrecord": options.onrecord, "candle": options.candle}
    results = []
    for threads in options.threads:
        results.append(run_with(threads, options, home, windows, programs, tokens, hidden))
        # After each number of threads: a run takes long, and may be cut short.
        machine = described_machine(results[0]["versions"], options.articles, cut["weights"])
        (home / "encoder.json").write_text(json.dumps({"machine": machine, "results": results}, indent=1) + "\n")
        table = report(results, machine)
        (home / "encoder.md").write_text(table)
    print(table)
    print(f"Written to {home}/encoder.md and encoder.json", file=sys.stderr)


if __name__ == "__main__":
    main()
