"""Reads recipes: which stages there are, with what options, and what each takes of others.

A recipe is a file of sections: [train.first] is the stage "train.first", which `stages/train.py` runs. Values of [train]
itself hold for all its stages, and `like = "first"` takes over what the stage train.first says. An option that takes a stage's work names it: "export.first", or "base:export.first" of
another recipe, or, with a slash, a folder of the repository ("models/onrecord-small").
"""

import tomllib
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from chain.vocabulary import ROOT, TRAINING, Kind, RecipeError, vocabulary

RECIPES = TRAINING / "recipes"


@dataclass(frozen=True)
class Stage:
    """One stage of a recipe. `options` are those that the recipe says, references included."""
    recipe: str
    kind: Kind
    name: str
    options: dict

    @property
    def id(self):
        return f"{self.recipe}:{self.kind.name}.{self.name}"

    @property
    def folder(self):
        """Below the output directory."""
        return f"{self.recipe}/{self.kind.name}/{self.name}"

    @property
    def product(self):
        return f"{self.folder}/{self.kind.file}"

    def references(self):
        """(option, what it names) of all that the stage takes."""
        for option in self.kind.takes:
            named = self.options.get(option, [])
            for one in named if isinstance(named, list) else [named]:
                yield option, one

    def resolved(self, reference):
        """The id of the stage that a reference means; None for a path from the root of the repository."""
        if "/" in reference:
            return None
        return reference if ":" in reference else f"{self.recipe}:{reference}"


def recipe_names(directory=RECIPES):
    return sorted(path.stem for path in directory.glob("*.toml"))


def path_of(name, directory):
    """Of a recipe in a directory, or of one of ours."""
    for path in (directory / f"{name}.toml", RECIPES / f"{name}.toml"):
        if path.exists():
            return path
    known = ", ".join(sorted({*recipe_names(directory), *recipe_names()}))
    raise RecipeError(f"there is no recipe {name}; there are: {known}")


def read(name, directory=RECIPES):
    """The stages of a recipe by id, with what they say checked as far as it can be without the others."""
    path = path_of(name, directory)
    try:
        sections = tomllib.loads(path.read_text(encoding="utf-8"))
    except tomllib.TOMLDecodeError as error:
        raise RecipeError(f"{path.name}: {error}") from error
    stages, kinds = {}, vocabulary()
    for kind_name, section in sections.items():
        if kind_name not in kinds:
            raise RecipeError(f"{path.name}: there is no stage {kind_name}; there are: {', '.join(kinds)}")
        if not isinstance(section, dict):
            raise RecipeError(f"{path.name}: {kind_name} is to be a section")
        kind = kinds[kind_name]
        common = {key: value for key, value in section.items() if key in kind.options}
        check(f"{path.name}, [{kind_name}]", kind, common)
        for stage_name, said in section.items():
            if stage_name in common:
                continue
            if not isinstance(said, dict):
                raise RecipeError(f"{path.name}, [{kind_name}]: {kind_name} has no option {stage_name}")
            place = f"{path.name}, [{kind_name}.{stage_name}]"
            said = with_likeness(place, section, said)
            check(place, kind, said)
            stage = Stage(name, kind, stage_name, common | said)
            missing = [option.name for option in kind.options.values() if option.required
                       and option.name not in {*stage.options, *kind.given, kind.folder.removeprefix("--")}]
            if missing:
                raise RecipeError(f"{place} lacks {', '.join(missing)}")
            stages[stage.id] = stage
    return stages


def with_likeness(place, section, said, seen=()):
    """What a stage says, on top of what the one says that it is like."""
    if "like" not in said:
        return said
    other, own = said["like"], {key: value for key, value in said.items() if key != "like"}
    if other in seen or not isinstance(section.get(other), dict):
        raise RecipeError(f"{place} is like {other}, which is no other stage of its kind")
    return with_likeness(place, section, section[other], (*seen, other)) | own


def check(place, kind, said):
    """Refuses by name what a kind of stage does not know."""
    for key, value in said.items():
        if key not in kind.options:
            raise RecipeError(f"{place}: {kind.name} has no option {key}")
        if key in kind.given or key == kind.folder.removeprefix("--"):
            raise RecipeError(f"{place}: {key} is for make to say (scripts/train/make --help)")
        if reason := kind.options[key].refused(value):
            reason += f" (an option of {kind.name}: no stage can be named so)" if isinstance(value, dict) else ""
            raise RecipeError(f"{place}: {key} {reason}")


def chain(name, wanted=(), directory=RECIPES):
    """The stages of a recipe, or those that the `wanted` ones need, in an order in which they can run; and with them what they
    need of other recipes, in the same directory or ours."""
    known = read(name, directory)
    start = [f"{name}:{stage}" for stage in wanted] or list(known)
    if unknown := [stage for stage in start if stage not in known]:
        raise RecipeError(f"{name}.toml has no stage {unknown[0].split(':')[1]}; it has: "
                          + ", ".join(id.split(":")[1] for id in known))
    needs, waiting = {}, start
    while waiting:
        id = waiting.pop()
        if id not in needs:
            needs[id] = needed(known[id], known, directory)
            waiting += needs[id]
    try:
        # Within what is possible, in the order of the files.
        order = list(known)
        return [known[id] for id in sorted_by_need({id: needs[id] for id in order if id in needs})]
    except CycleError as error:
        raise RecipeError(f"{name}.toml: stages wait for each other: {' < '.join(error.args[1])}") from error


def sorted_by_need(needs):
    sorter, order, place = TopologicalSorter(needs), [], {id: at for at, id in enumerate(needs)}
    sorter.prepare()
    ready = []
    while sorter.is_active():
        ready = sorted([*ready, *sorter.get_ready()], key=place.__getitem__)
        order.append(ready.pop(0))
        sorter.done(order[-1])
    return order


def given_file(reference, product):
    """The file that shows that what a reference to the repository names is there."""
    return ROOT / reference if product == "file" else ROOT / reference / "config.json"


def needed(stage, known, directory):
    """The ids of the stages that a stage takes something of; their recipes are read where they are not known yet."""
    ids = []
    for option, reference in stage.references():
        place, product = f"{stage.recipe}.toml, [{stage.kind.name}.{stage.name}]: {option}", stage.kind.takes[option]
        id = stage.resolved(reference)
        if id is None:
            if not given_file(reference, product).exists():
                raise RecipeError(f"{place} names {reference}, where no {product} is")
            continue
        other = id.split(":")[0]
        if id not in known and other != stage.recipe:
            known |= {key: value for key, value in read(other, directory).items() if key not in known}
        if id not in known:
            hint = f" (./{reference} is a file at the root of the repository)" if product == "file" else ""
            raise RecipeError(f"{place} names {reference}, which is no stage{hint}")
        if known[id].kind.product != product:
            raise RecipeError(f"{place} names {reference}, which makes a {known[id].kind.product} and no {product}")
        ids.append(id)
    return ids
