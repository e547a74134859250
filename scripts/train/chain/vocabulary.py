"""What a recipe may say: the kinds of stages in stages.toml, and the options that their scripts have."""

import ast
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

TRAINING = Path(__file__).resolve().parents[1]
ROOT = TRAINING.parents[1]


class RecipeError(ValueError):
    """A recipe says what cannot be done; the message names the place."""


@dataclass(frozen=True)
class Option:
    """One of a script's options, as its parser has it."""
    name: str
    type: str = "str"         # or "int", "float"
    action: str = "store"     # or "append", "store_true"
    required: bool = False
    choices: tuple = ()

    def refused(self, value):
        """Why a value of a recipe cannot be this option's, or None."""
        if self.action == "store_true":
            return None if isinstance(value, bool) else "is true or false"
        if isinstance(value, list) != (self.action == "append"):
            return "is a list" if self.action == "append" else "is one value, no list"
        for single in value if isinstance(value, list) else [value]:
            if self.type in ("int", "float"):
                if isinstance(single, bool) or not isinstance(single, int if self.type == "int" else (int, float)):
                    return f"is {'a whole number' if self.type == 'int' else 'a number'}"
            elif not isinstance(single, (str, dict)):
                return "is a text"
            if self.choices and single not in self.choices:
                return f"is one of {', '.join(map(str, self.choices))}"
        return None


@dataclass(frozen=True)
class Kind:
    """A kind of stage: its section of stages.toml, and its script's options by name (without the dashes)."""
    name: str
    product: str
    file: str
    folder: str
    takes: dict = field(default_factory=dict)
    given: dict = field(default_factory=dict)
    reads: tuple = ()
    options: dict = field(default_factory=dict)

    @property
    def script(self):
        return TRAINING / "stages" / f"{self.name}.py"

    @property
    def summary(self):
        """The first line of the script's description."""
        return ast.get_docstring(ast.parse(self.script.read_text())).split("\n")[0]

    def files(self):
        """All files of the repository of which the stage's work depends: script, what it imports from here, and `reads`."""
        found = set(imported(self.script))
        for pattern in self.reads:
            found |= {path for path in ROOT.glob(pattern) if path.is_file()}
        return sorted(found)


def literal(node, default):
    try:
        return ast.literal_eval(node)
    except ValueError:
        return default


def options_of(script):
    """Every option that a script adds to a parser, by name. It is read, not run: running needs PyTorch."""
    options = {}
    for node in ast.walk(ast.parse(script.read_text())):
        if isinstance(node, ast.Call) and getattr(node.func, "attr", None) == "add_argument":
            name = literal(node.args[0], "").removeprefix("--")
            said = {keyword.arg: keyword.value for keyword in node.keywords}
            options[name] = Option(
                name, getattr(said.get("type"), "id", "str"), literal(said.get("action"), "store") if "action" in said else "store",
                "required" in said, tuple(literal(said["choices"], ())) if "choices" in said else ())
    return options


def imported(script, seen=None):
    """A script and all modules of this directory that it imports, and these."""
    seen = set() if seen is None else seen
    seen.add(script)
    for node in ast.walk(ast.parse(script.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            for path in (TRAINING / node.module.replace(".", "/") / f"{name.name}.py" for name in node.names):
                if path.exists() and path not in seen:
                    imported(path, seen)
            path = TRAINING / f"{node.module.replace('.', '/')}.py"
            if path.exists() and path not in seen:
                imported(path, seen)
    return seen


@cache
def vocabulary():
    """Kinds by name."""
    kinds = {}
    for name, section in tomllib.loads((TRAINING / "stages.toml").read_text()).items():
        (product, file), = section["makes"].items()
        kind = Kind(name, product, file, section["folder"], section.get("takes", {}), section.get("given", {}),
                    tuple(section.get("reads", ())), options_of(TRAINING / "stages" / f"{name}.py"))
        filled = {*kind.takes, *kind.given, kind.folder.removeprefix("--")}
        if unknown := sorted(filled - set(kind.options)):
            raise RecipeError(f"stages.toml, [{name}]: stages/{name}.py has no option {', '.join(unknown)}")
        kinds[name] = kind
    return kinds
