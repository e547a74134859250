"""What a run needs to go on after an interruption as if there had been none."""

import signal

import torch

from corpora.readers import sha256


class Checkpoint:
    """Everything of a run that its steps change, in one file. `origin` says of what run: data and options by name."""

    def __init__(self, path, origin, network, optimiser, schedule):
        self.path, self.origin = path, origin
        self.parts = {"network": network, "optimiser": optimiser, "schedule": schedule}

    def save(self, state):
        beside = self.path.with_suffix(".tmp")
        torch.save({"origin": self.origin, "state": state, "random": torch.get_rng_state(),
                    **{name: part.state_dict() for name, part in self.parts.items()}}, beside)
        beside.replace(self.path)

    def restore(self):
        """The state that was saved; None where nothing was, or what was saved is of a run with other options or data."""
        if not self.path.exists():
            return None
        saved = torch.load(self.path, weights_only=False)
        before = saved.get("origin", {})
        differing = sorted(name for name in {*before, *self.origin} if before.get(name) != self.origin.get(name))
        if differing:
            print(f"{self.path} is of a run with other {', '.join(differing)}: begun anew", flush=True)
            return None
        for name, part in self.parts.items():
            part.load_state_dict(saved[name])
        torch.set_rng_state(saved["random"])
        return saved["state"]


class Interruption:
    """Remembers that the run was asked to stop (Ctrl-C, or the signals TERM and HUP), so that the step at hand is finished and saved."""

    def __init__(self):
        self.signal = None
        for kind in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(kind, self.remember)

    def remember(self, number, frame):
        self.signal = number


def identity(path):
    """What tells one file, or all files of a folder, from others: their hashes by name."""
    if path.is_dir():
        return {file.name: sha256(file) for file in sorted(path.iterdir()) if file.suffix in (".json", ".jsonl", ".safetensors")}
    return sha256(path)
