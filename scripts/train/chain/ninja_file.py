"""Writes a chain of stages as a build file of Ninja, which finds out what is to run, and runs it.

Paths in it are relative to the output directory, or begin with a variable of the environment ($ROOT, ...), so that the
directory may be moved, and another checkout go on in it.
"""

import hashlib
import shlex

from chain.recipe import given_file
from chain.vocabulary import ROOT

# The shell gets the signals that its stage gets. It waits for the stage, which may have something to save.
HEAD = """\
# Written by scripts/train/make.
ninja_required_version = 1.12
builddir = .

rule stage
  command = trap : HUP INT TERM; $work > $log 2>&1 || { tail -n 30 $log; exit 1; }
  description = $stage, log in $log
  restat = 1
"""


def escaped(path):
    return path.replace("$", "$$").replace(":", "$:").replace(" ", "$ ")


def in_shell(name):
    return f'"${name.upper()}"'


def text_of(value):
    if isinstance(value, dict):
        return ",".join(f"{name}={share}" for name, share in value.items())
    return str(value)


def command_of(stage, program=None):
    """The stage's command line. `program`: whether one is given, in place of what a stage builds."""
    words = ['"$PYTHON"', "-P", "-u", "-m", f"stages.{stage.kind.name}"]
    taken = set(stage.kind.takes)
    for name, value in stage.options.items():
        for single in value if isinstance(value, list) else [value]:
            if single is True:
                words.append(f"--{name}")
            elif single is not False:
                words += [f"--{name}", place_of(stage, single, stage.kind.takes[name], program) if name in taken
                          else shlex.quote(text_of(single))]
    words += [word for name, variable in stage.kind.given.items() for word in (f"--{name}", in_shell(variable))]
    return " ".join([*words, stage.kind.folder, stage.folder])


def place_of(stage, reference, product, program):
    """As a word of the command: the folder of a stage, or of the repository."""
    if product == "program" and program:
        return in_shell("program")
    id = stage.resolved(reference)
    return f"{in_shell('root')}/{shlex.quote(reference)}" if id is None else folder_of(id)


def folder_of(id):
    recipe, _, stage = id.partition(":")
    return "/".join((recipe, *stage.split(".", 1)))


def inputs_of(stage, by_id, program):
    """Files after whose change the stage runs again."""
    found = [f"read/{stage.kind.name}"]
    for option, reference in stage.references():
        id, product = stage.resolved(reference), stage.kind.takes[option]
        if product == "program" and program:
            found.append(str(program / "onrecord"))
        elif id is None:
            found.append(str(given_file(reference, product)))
        else:
            found.append(by_id[id].product)
    return found


def text(stages, corpora, program=None):
    """The build file of a chain."""
    by_id, parts = {stage.id: stage for stage in stages}, [HEAD]
    for stage in stages:
        inputs = inputs_of(stage, by_id, program)
        if "corpora" in stage.kind.given.values():
            inputs += sorted(str(path) for path in corpora.iterdir())
        parts.append(f"build {escaped(stage.product)}: stage {' '.join(map(escaped, inputs))}\n"
                     f"  work = {command_of(stage, program).replace('$', '$$')}\n"
                     f"  log = {escaped(stage.folder)}/log.txt\n"
                     f"  stage = {stage.id}\n")
    return "\n".join(parts)


def write_reads(stages, output):
    """For each kind of stage the hashes of the files of the repository that it reads; the file keeps its time while they stay."""
    for kind in {stage.kind.name: stage.kind for stage in stages}.values():
        lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(ROOT)}\n" for path in kind.files()]
        path, content = output / "read" / kind.name, "".join(lines)
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_text() != content:
            path.write_text(content)
