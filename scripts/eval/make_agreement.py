#!/usr/bin/env python3
"""Makes the fixtures that hold the Rust scorers to the reference scorers.

    make_agreement.py --tools DIR [--out tests/fixtures/eval] [--seed 7]

Composes short articles from phrases written for this purpose, with gold statements, speakers and entities; spoils them
at random into predictions; and records what DIR/score_attributions.py and DIR/score_entities.py make of both. The
predictions hold what real ones do and more: moved borders, dropped and doubled statements, missing and repeated
documents, empty sources, split and unsorted segments, and both of the forms that the scorers read.
"""

import argparse
import importlib.util
import json
import random
from pathlib import Path

# Full name, short name, title, nominal, pronoun, kind.
SPEAKERS = [
    ("Ana Duarte", "Duarte", "Sen.", "the senator from Porto Novo", "she", "person"),
    ("Piet Oram", "Oram", "Mr.", "the harbour master", "he", "person"),
    ("Zoë Weiß", "Weiß", "Dr", "the hospital’s chief", "She", "person"),
    ("Rene\u0301e O’Shea", "O’Shea", "Secretary", "the schools secretary", "she", "person"),
    ("Lake County Transit", "Transit", "the", "the bus company", "It", "organization"),
    ("Tomás Ito", "Ito", "Gov.", "the governor", "He", "person"),
    ("the Anglers’ Union", "Anglers’ Union", "The", "the union", "they", "group"),
]
UNNAMED = ["one resident", "two officials", "a driver who asked not to be named", "They", "we", "residents"]
CUES = ["said", "told reporters", "warned", "hopes", "wrote", "insists", "added", "believes", "announced", "denied"]
CONTENTS = [
    "the old bridge will stay shut until spring",
    "nobody had counted the boats before the storm",
    "12% of the pumps had failed by noon",
    "the #SaveTheFerry petition was “a start”",
    "rents on Mill Lane rose by $40 a month",
    "it’s been a long, long winter 🙂",
    "the cafe\u0301 on the pier can reopen",
    "her office would answer by e-mail to info@lake.example",
    "R&D money was spent on paint",
    "the vote — the third this year — changes nothing",
    "every child under 11 rides free",
    "the file budget_v2 was never signed",
    "no one is above the timetable",
    "the naïve plan cost 3½ million",
    "we need more nurses, not more forms",
    "the ferry’s engine was older than its captain",
    "a second well would be dug near the school",
    "it rains more than it used to",
    "‘soon’ means next year",
    "the council owes the fishermen an apology",
    "trees on the north bank would be spared",
    "the alarm rang twice 🚨🚨 and then stopped",
    "he could not support the measure as written",
    "the lights go out at ten",
    "the tide tables were wrong by an hour",
    "volunteers cleared 2,000 sandbags by hand",
    "the mu\u0308ll yard is full",
    "a fare rise is off the table",
]
FILLERS = [
    "The meeting lasted four hours.",
    "Rain fell through the night.",
    "Few seats were empty.",
    "A bell rang at noon.",
    "The harbour was closed on Tuesday…",
]
HEADLINES = ["Bridge stays shut", "Council meets again", "Ferry row: day three", "“Not yet,” say residents"]


class Article:
    """A text that grows piece by piece, with the statements marked in it."""

    def __init__(self, random_source, name):
        self.random, self.id, self.text = random_source, name, random_source.choice(HEADLINES) + "\n\n"
        self.attributions, self.speakers = [], []
        self.people = self.random.sample(SPEAKERS, 3)
        self.contents = self.random.sample(CONTENTS, len(CONTENTS))

    def put(self, piece):
        start = len(self.text)
        self.text += piece
        return [start, len(self.text)]

    def who(self):
        """A source phrase with its speaker's record."""
        person = self.random.choice(self.people)
        full, short, title, nominal, pronoun, kind = person
        form, phrase = self.random.choice(
            [("name", full), ("name", short), ("name", f"{title} {short}"), ("pronoun", pronoun), ("nominal", nominal)]
        )
        record = {"speaker": full, "aliases": [full, short], "type": kind, "form": form}
        if self.random.random() < 0.15:
            phrase = self.random.choice(UNNAMED)
            form = "pronoun" if phrase in ("They", "we") else "nominal"
            record = {"speaker": None, "aliases": [], "type": "unknown", "form": form}
        elif self.random.random() < 0.1:
            other = self.random.choice([p for p in self.people if p is not person])
            phrase = f"{full} and {other[0]}"
            record = {**record, "speaker": f"{full} | {other[0]}", "aliases": [full, short, other[0], other[1]]}
        return phrase, record

    def note(self, source, cue, content, record=None):
        index = len(self.attributions)
        self.attributions.append({"source": source, "cue": cue, "content": content, "kind": "Attribution"})
        record = record or {"speaker": None, "aliases": [], "type": "unknown", "form": "none"}
        self.speakers.append({"doc": self.id, "index": index, **record})

    def sentence(self):
        random_source, put = self.random, self.put
        (phrase, record), cue, content = self.who(), random_source.choice(CUES), self.contents.pop()
        more = self.contents[0]
        pattern = random_source.randrange(10)
        if pattern == 0:
            said = put(f"“{content},”")
            put(" ")
            source, _, verb = put(phrase), put(" "), put(cue)
            self.note([source], [verb], [said], record)
        elif pattern == 1:
            source, _, verb = put(phrase), put(" "), put(cue)
            self.note([source], [verb], [put(f" that {content}")], record)
        elif pattern == 2:
            said = put(content)
            put(", ")
            source = put(phrase)
            self.note([source], [put(f" {cue}")], [said], record)
        elif pattern == 3:
            said = put(f"“{content},”")
            put(" ")
            source, _, verb = put(phrase), put(" "), put(cue)
            put(". ")
            self.note([source], [verb], [said, put(f"“{more}”")], record)
        elif pattern == 4:
            verb, _, source, _ = put("According to"), put(" "), put(phrase), put(", ")
            self.note([source], [verb], [put(content)], record)
        elif pattern == 5:
            put("It was ")
            verb = put(random_source.choice(["reported", "suggested", "feared"]))
            self.note([], [verb], [put(f" that {content}")])
        elif pattern == 6:
            source, _, first = put(phrase), put(" "), put("ruled")
            _, second = put(" it "), put("out")
            self.note([source], [first, second], [put(f": “{content}”")], record)
        elif pattern == 7:
            source = put(phrase)
            for gap, verb, said in ((" ", cue, content), (" and ", "joked", more)):
                put(gap)
                self.note([source], [put(verb)], [put(f" that {said}")], record)
        elif pattern == 8:
            source, _, verb = put(phrase), put(" "), put(cue)
            start = len(self.text)
            put(" that ")
            inner_phrase, inner_record = self.who()
            inner, _, inner_verb = put(inner_phrase), put(" "), put("promised")
            inner_content = put(f" that {content}")
            self.note([source], [verb], [[start, len(self.text)]], record)
            self.note([inner], [inner_verb], [inner_content], inner_record)
        else:
            first, _, second = put(phrase), put(" in a letter "), put("from the quay")
            _, verb = put(" "), put(cue)
            self.note([first, second], [verb], [put(f" that {content}, {more}")], record)
        put(random_source.choice([". ", ".\n\n", "! ", ".” "]))
        if random_source.random() < 0.4:
            put(random_source.choice(FILLERS) + " ")


def moved(random_source, segments, length):
    """Segments with some borders moved, and now and then split, unsorted, doubled, empty or reversed."""
    out = []
    for start, end in segments:
        if random_source.random() < 0.35:
            start = max(0, min(length - 1, start + random_source.randint(-7, 7)))
        if random_source.random() < 0.35:
            end = max(0, min(length, end + random_source.randint(-7, 7)))
        if end - start > 8 and random_source.random() < 0.15:
            middle = random_source.randint(start + 3, end - 3)
            out += [[middle + random_source.randint(0, 3), end], [start, middle]]
        else:
            out.append([start, end])
    if random_source.random() < 0.06:
        out.append(random_source.choice([[5, 5], [9, 4], *out]))
    return out


def spoil(random_source, article, records):
    """Predicted statements for an article, as (spans, speaker, names of the others)."""
    length = len(article["text"])
    found = []
    for number, (gold, record) in enumerate(zip(article["attributions"], records)):
        if random_source.random() < 0.12:
            continue
        spans = {role: moved(random_source, gold[role], length) for role in ("source", "cue", "content")}
        if random_source.random() < 0.35:
            spans = {role: gold[role] for role in spans}
        if random_source.random() < 0.08:
            spans["source"] = []
        if random_source.random() < 0.16:
            # Too little or nothing of the content.
            spans["content"] = [[s, s + (e - s) // 3] for s, e in gold["content"]] if number % 3 else []
        if random_source.random() < 0.08:
            spans["source"] = random_source.choice(article["attributions"])["source"]
        person = random_source.choice(SPEAKERS)
        speaker, others = random_source.choice([person[0], person[1], None, ""]), []
        if record["aliases"] and random_source.random() < 0.65:
            alias = random_source.choice(record["aliases"])
            changes = [alias, alias, alias.upper(), f"The {alias}", f"Gov. president  {alias}’s", f" {alias}'s. ", "x"]
            speaker = random_source.choice(changes)
        elif random_source.random() < 0.5:
            speaker = None
        if random_source.random() < 0.2:
            others = [random_source.choice(record["aliases"] or [person[0]])]
        found.append((spans, speaker, others))
        if random_source.random() < 0.25:
            # A rival with the same content, often without source or cue: the matching must choose.
            rival = {**spans, **random_source.choice([{}, {"source": []}, {"cue": []}])}
            found.append((rival, random_source.choice([None, person[0]]), []))
    for _ in range(random_source.randint(0, 3)):
        start = random_source.randrange(length - 30)
        spans = {"source": [], "cue": [[start, start + 4]], "content": [[start + 5, start + random_source.randint(6, 30)]]}
        found.append((spans, None, []))
    random_source.shuffle(found)
    return found


def extract_form(article, found):
    """A line as `onrecord extract` writes it."""
    names = sorted({name for _, speaker, others in found for name in (speaker, *others) if name})
    ids = {name: f"p{number}" for number, name in enumerate(names, 1)}
    segments = lambda pairs: [{"start": s, "end": e} for s, e in pairs]
    statements = []
    for number, (spans, speaker, others) in enumerate(found):
        statement = {"id": f"s{number}", **{role: segments(pairs) for role, pairs in spans.items()}, "confidence": 0.5}
        statement["speaker"] = None if speaker is None else {"id": ids.get(speaker, "p0"), "name": speaker}
        if others or number % 3 == 0:
            statement["co_speakers"] = [ids[name] for name in others]
        if not spans["source"] and number % 2:
            statement["source"] = None
        statements.append(statement)
    speakers = [{"id": ids[name], "name": name, "mentions": 1} for name in names]
    return {"id": article["id"], "entities": [], "statements": statements, "speakers": speakers}


def gold_form(article, found):
    attributions = [{**spans, "speaker": speaker, "others": others} for spans, speaker, others in found]
    return {"id": article["id"], "attributions": attributions}


NAMES = {
    "Person": ["Ana Duarte", "Zoë Weiß", "Piet Oram", "Tomás Ito", "Rene\u0301e O’Shea"],
    "Organization": ["Lake County Transit", "Anglers’ Union", "R&D Board", "LCT"],
    "Location": ["Porto Novo", "Mill Lane", "Lake County", "Oslo"],
    "NORP": ["Norwegian", "Liberals"],
    "Facility": ["Pier 4", "North Quay School"],
    "Product": ["Ferry 🚢 Pass"],
    "Date": ["12 March", "Tuesday"],
    "Money": ["$ 40", "3½ million"],
    "Misc": ["Regatta Cup", "#SaveTheFerry"],
    "PER": ["Nkem Obi", "Ines"],
}
FRAMES = [
    "{Person} of {Organization} met {Person} in {Location} .",
    "The {NORP} team won the {Misc} on {Date} .",
    "{Organization} paid {Money} for {Facility} , {Person} said .",
    "“ {Location} {Location} is full , ” wrote {PER} .",
    "{Product} holders ride free on {Date}",
    "Nothing happened 🙂 .",
    "{Facility} , {Location} : {PER} {Person} 5 , {NORP} 3",
]


def tagged_sentences(random_source):
    """Sentences with BIO tags; the last ones belong to no document."""
    rows = []
    for number in range(90):
        tokens, tags = [], []
        for word in random_source.choice(FRAMES).split():
            if word.startswith("{"):
                label = word.strip("{}")
                words = random_source.choice(NAMES[label]).split()
                tokens += words
                tags += ["B-" + label] + ["I-" + label] * (len(words) - 1)
            else:
                tokens.append(word)
                tags.append("I-Misc" if random_source.random() < 0.03 else "O")
        row = {"id": f"sentence-{number}", "tokens": tokens, "ner": tags}
        if number < 75:
            # Sentences of a document need not stand together.
            row["doc"] = f"report-{(number // 6) if number % 11 else 0}"
        rows.append(row)
    return rows


def spoil_entities(random_source, text, tokens, gold, mapping):
    found = []
    for label, first, end in sorted(gold):
        if random_source.random() < 0.12:
            continue
        start, stop = tokens[first][0], tokens[end - 1][1]
        if random_source.random() < 0.3:
            start = max(0, start + random_source.randint(-4, 4))
        if random_source.random() < 0.3:
            stop = max(0, stop + random_source.randint(-4, 4))
        label = mapping.get(label, label) if random_source.random() < 0.8 else random_source.choice(["PER", "ORG", label])
        found += [{"label": label, "start": start, "end": stop, "text": text[start:stop]}]
        found += found[-1:] if random_source.random() < 0.08 else []
    at = random_source.randrange(len(text))
    found.append({"label": "LOC", "start": at, "end": at + random_source.randint(0, 9), "text": ""})
    if random_source.random() < 0.2:
        found.append({"label": "ORG", "start": len(text) + 3, "end": len(text) + 9, "text": ""})
    return found


def load(path):
    spec = importlib.util.spec_from_file_location(path.stem, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write_lines(path, rows):
    with open(path, "w", encoding="utf-8") as out:
        for row in rows:
            out.write(json.dumps(row, ensure_ascii=False) + "\n")


def write_expected(path, results):
    """Rows as lists of pairs, so that their order is part of the fixture."""
    rows = {name: [list(row) for row in result.items()] for name, result in results.items()}
    path.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")


def make_statements(random_source, out, scorer):
    gold, predicted, speakers = [], [], []
    for number in range(20):
        article = Article(random_source, f"article-{number}")
        for _ in range(0 if number == 13 else random_source.randint(7, 12)):
            article.sentence()
        article.put(" ".join(FILLERS))
        line = {"id": article.id, "text": article.text.rstrip(), "attributions": article.attributions}
        gold.append(line)
        # As in the real set, only some articles have speakers.
        speakers += article.speakers if number % 5 else []
        if number in (4, 11):
            continue
        found = spoil(random_source, line, article.speakers)
        if number == 8:
            predicted.append({"id": article.id, "statements": []})
        predicted.append((gold_form if number % 4 == 3 else extract_form)(line, found))
    predicted.append({"id": "no-such-article", "statements": [], "entities": []})
    speakers.append({**speakers[0], "form": "pronoun"})
    write_lines(out / "gold.jsonl", gold)
    write_lines(out / "pred.jsonl", predicted)
    write_lines(out / "speakers.jsonl", speakers)
    read = scorer.read
    gold, predicted = out / "gold.jsonl", out / "pred.jsonl"
    write_expected(
        out / "expected_statements.json",
        {
            "with speakers": scorer.score(read(gold), read(predicted), speakers),
            "without speakers": scorer.score(read(gold), read(predicted)),
            "gold as prediction": scorer.score(read(gold), read(gold), speakers),
            "nothing predicted": scorer.score(read(gold), [], speakers),
        },
    )


def make_entities(random_source, out, scorer):
    gold, predicted = out / "ner_gold.jsonl", out / "ner_pred.jsonl"
    write_lines(gold, tagged_sentences(random_source))
    rows = []
    for number, (name, text, tokens, entities) in enumerate(scorer.documents(gold)):
        if number not in (2, 14):
            found = spoil_entities(random_source, text, tokens, entities, scorer.WORLDWIDE)
            rows.append({"id": name, "entities": found, "statements": []})
    write_lines(predicted, rows)
    only = {"PER", "ORG", "LOC"}
    write_expected(
        out / "expected_entities.json",
        {
            "plain": scorer.score(gold, predicted),
            "worldwide": scorer.score(gold, predicted, scorer.WORLDWIDE),
            "only": scorer.score(gold, predicted, None, only),
            "worldwide only": scorer.score(gold, predicted, scorer.WORLDWIDE, only),
        },
    )


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--tools", type=Path, required=True, help="folder of the reference scorers")
    parser.add_argument("--out", type=Path, default=Path(__file__).parents[2] / "tests" / "fixtures" / "eval")
    parser.add_argument("--seed", type=int, default=7)
    arguments = parser.parse_args()
    arguments.out.mkdir(parents=True, exist_ok=True)
    random_source = random.Random(arguments.seed)
    make_statements(random_source, arguments.out, load(arguments.tools / "score_attributions.py"))
    make_entities(random_source, arguments.out, load(arguments.tools / "score_entities.py"))


if __name__ == "__main__":
    main()
