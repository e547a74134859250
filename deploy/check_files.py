"""The part of deploy/check that no linter does: what must agree between the files, and the settings that they give.

    check_files.py [BINARY]
"""

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request
from pathlib import Path

import yaml
from compose_spec import PyCompose, parse_duration

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
METRIC = "onrecord_waiting_tokens"
# Seconds that a start or a stop may take here.
PATIENCE = 30


def check(holds, what):
    """Prints what holds; ends with exit code 1 if it does not."""
    if not holds:
        raise SystemExit(f"WRONG {what}")
    print(f"ok    {what}")


def compose():
    """The environment that compose.yaml gives the service."""
    text = (HERE / "compose.yaml").read_text()
    PyCompose.from_yaml(text).validate()
    service = yaml.safe_load(text)["services"]["onrecord"]
    environment = service["environment"]
    drain = parse_duration(environment["ONRECORD_DRAIN_TIMEOUT"])
    check(parse_duration(service["stop_grace_period"]) > drain, "compose.yaml parses, and waits for the drain")
    dockerfile = HERE / service["build"]["context"] / service["build"]["dockerfile"]
    check(dockerfile.resolve() == HERE / "Dockerfile", "compose.yaml builds the Dockerfile")
    return environment


def kubernetes():
    """The environment that kubernetes.yaml gives the service."""
    found = {one["kind"]: one for one in yaml.safe_load_all((HERE / "kubernetes.yaml").read_text())}
    template = found["Deployment"]["spec"]["template"]
    pod, labels = template["spec"], template["metadata"]["labels"]
    container = pod["containers"][0]
    environment = {one["name"]: one["value"] for one in container["env"]}

    pause = container["lifecycle"]["preStop"]["sleep"]["seconds"]
    drain = parse_duration(environment["ONRECORD_DRAIN_TIMEOUT"])
    check(pod["terminationGracePeriodSeconds"] > pause + drain, "kubernetes.yaml waits for the pause and the drain")

    ports = {one["name"]: one["containerPort"] for one in container["ports"]}
    check(ports == {"http": int(environment["ONRECORD_PORT"])}, "kubernetes.yaml names the port that is listened on")
    probes = [container[f"{kind}Probe"]["httpGet"]["port"] for kind in ("startup", "readiness", "liveness")]
    targets = [one["targetPort"] for one in found["Service"]["spec"]["ports"]]
    check(set(probes + targets) == set(ports), "kubernetes.yaml asks and serves at that port")

    selectors = [
        found["Deployment"]["spec"]["selector"]["matchLabels"],
        found["PodDisruptionBudget"]["spec"]["selector"]["matchLabels"],
        found["Service"]["spec"]["selector"],
        pod["topologySpreadConstraints"][0]["labelSelector"]["matchLabels"],
    ]
    check(all(selector.items() <= labels.items() for selector in selectors), "kubernetes.yaml selects its own pods")

    mounts = {one["name"]: Path(one["mountPath"]) for one in container["volumeMounts"]}
    volume = pod["volumes"][0]
    key_file = Path(environment["ONRECORD_API_KEY_FILE"])
    check(key_file.parent == mounts[volume["name"]], "kubernetes.yaml mounts the keys where the service reads them")

    scaler = found["HorizontalPodAutoscaler"]["spec"]
    check(scaler["scaleTargetRef"]["name"] == found["Deployment"]["metadata"]["name"], "the autoscaler has its target")
    rule = yaml.safe_load((HERE / "prometheus-adapter.yaml").read_text())["rules"]["custom"][0]
    metrics = [one["pods"]["metric"]["name"] for one in scaler["metrics"]]
    series = rule["seriesQuery"].partition("{")[0]
    check(metrics == [series] == [METRIC], "the autoscaler and the adapter name the same metric")
    return environment


def systemd():
    """The environment that the systemd unit gives the service."""
    lines = (HERE / "onrecord.service").read_text().splitlines()
    settings = dict(line.split("=", 1) for line in lines if re.match(r"\w+=", line))
    environment = dict(pair.split("=", 1) for pair in settings["Environment"].split())
    drain = parse_duration(environment["ONRECORD_DRAIN_TIMEOUT"])
    check(parse_duration(settings["TimeoutStopSec"]) > drain, "onrecord.service waits for the drain")
    return environment


def image():
    """The environment of the image, and whether its build is given all that cargo asks for."""
    patterns = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and line[0] != "#"]
    check(patterns[0] == "*" and all(one[0] == "!" for one in patterns[1:]), ".dockerignore lists what is let in")
    with tempfile.TemporaryDirectory() as folder:
        for pattern in patterns[1:]:
            for path in ROOT.glob(pattern[1:]):
                copy = shutil.copytree if path.is_dir() else shutil.copy
                copy(path, Path(folder) / path.name)
        command = ["cargo", "metadata", "--locked", "--no-deps", "--format-version", "1"]
        if shutil.which("cargo"):
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
            check(done.returncode == 0, f"cargo can read what is let in {done.stderr}".strip())
        else:
            print("cargo is not here: left out whether it can read what is let in")
    dockerfile = (HERE / "Dockerfile").read_text()
    return dict(re.findall(r"^ENV (\w+)=(\S+)$", dockerfile, re.MULTILINE))


def address_of(process):
    """Where the service listens, as it says on standard error."""
    said = []
    for line in process.stderr:
        said.append(line)
        if found := re.search(r"listening on (http://\S+?)[\"\s]", line):
            # Nobody reads the rest, but it must not block the service.
            threading.Thread(target=process.stderr.read, daemon=True).start()
            return found[1].replace("0.0.0.0", "127.0.0.1")
    raise SystemExit("WRONG it ended before it listened, and said:\n" + "".join(said))


def starts(binary, name, environment):
    """Starts the service with these settings on a free port, and ends it."""
    with tempfile.NamedTemporaryFile("w") as keys:
        keys.write("a-key-for-the-check\n")
        keys.flush()
        own = {"ONRECORD_API_KEY_FILE": keys.name} if "ONRECORD_API_KEY_FILE" in environment else {}
        # Another port than the file's, which may be taken here; and no machine but this one.
        own |= {"ONRECORD_PORT": "0", "ONRECORD_HOST": "127.0.0.1"}
        process = subprocess.Popen(
            [binary, "serve"], env=os.environ | environment | own, stderr=subprocess.PIPE, text=True)
        timer = threading.Timer(PATIENCE, process.kill)
        timer.start()
        try:
            address = address_of(process)
            ready = f"{address}/health/ready"
            while True:
                try:
                    with urllib.request.urlopen(ready, timeout=PATIENCE) as response:
                        check(response.status == 200, f"{name}: the service starts with its settings")
                    break
                except urllib.error.HTTPError as error:
                    # 503: not ready yet. The timer ends this if it lasts.
                    if error.code != 503:
                        raise
                    time.sleep(0.05)
            process.send_signal(signal.SIGTERM)
            check(process.wait() == 0, f"{name}: SIGTERM ends it with exit code 0")
        finally:
            timer.cancel()
            process.kill()
            process.wait()


def main():
    environments = {
        "compose.yaml": compose(),
        "kubernetes.yaml": kubernetes(),
        "onrecord.service": systemd(),
        "Dockerfile": image(),
    }
    if len(sys.argv) < 2:
        print("no BINARY given: left out whether the program takes these settings")
        return
    binary = Path(sys.argv[1]).resolve()
    manual = subprocess.run([binary, "serve", "--help"], check=True, capture_output=True, text=True).stdout
    for name, environment in environments.items():
        unknown = [one for one in environment if f"{one}=" not in manual and f"{one}]" not in manual]
        check(not unknown, f"{name}: every setting stands in the manual {' '.join(unknown)}".strip())
        starts(binary, name, environment)


if __name__ == "__main__":
    main()
