"""Pronouns and descriptions made from names: articles in which a name that is a source becomes "he", "she", or "the senator".

News has few annotated ones, and the corpora that have them are mostly not news.
"""

import collections
import random
import re

from corpora.mention_classes import CLASSES, DEFINITE, HE, NAMES, NOMINAL, PEOPLE, SHE, UNKNOWN
from corpora.readers import TokenRows


def genders(documents):
    """Full name -> HE or SHE, where the pronouns beside a lone person tell."""
    counts = collections.defaultdict(collections.Counter)
    for document in documents:
        full = {}
        for m in document["mentions"]:
            if m["class"] in PEOPLE:
                form = document["text"][m["start"]:m["end"]]
                full[m["name"]] = max(full.get(m["name"], ""), form, key=len)
        people = collections.defaultdict(set)
        for m in document["mentions"]:
            if m["class"] in PEOPLE:
                people[m["sentence"]].add(m["name"])
        for m in document["mentions"]:
            if m["class"] in (HE, SHE):
                near = people[m["sentence"]] | people[m["sentence"] - 1] | people[m["sentence"] - 2]
                if len(near) == 1:
                    counts[full[next(iter(near))]][m["class"]] += 1
    chosen = {}
    for name, count in counts.items():
        (pronoun, most), total = count.most_common(1)[0], sum(count.values())
        if total >= 2 and most / total >= 0.8 and " " in name:
            chosen[name] = pronoun
    return chosen


BEFORE = re.compile(r'(^|[\n,.;:?!"”“—-]|\b(?:and|but|that|as|when|where|because|while|if|what|how|why))\s*$')


def worldwide(path):
    """English Worldwide Newswire as running text."""
    return [{"id": d.id, "text": d.text} for d in TokenRows(path, "news9").documents(1.0, random.Random(1))]


# Words beside a person's name, and what "the ..." may call that person for them.
TITLES = {
    "sen": "senator lawmaker", "senator": "senator lawmaker", "rep": "congressman lawmaker", "gov": "governor",
    "governor": "governor", "congressman": "congressman lawmaker", "congresswoman": "congresswoman lawmaker",
    "mayor": "mayor", "president": "president", "minister": "minister", "secretary": "secretary", "judge": "judge",
    "justice": "justice", "gen": "general", "general": "general", "sheriff": "sheriff", "professor": "professor",
    "dr": "doctor", "ambassador": "ambassador", "director": "director", "chairman": "chairman", "nominee": "nominee",
    "candidate": "candidate", "spokesman": "spokesman", "spokeswoman": "spokeswoman", "lawyer": "lawyer", "attorney": "attorney",
    "commissioner": "commissioner", "chancellor": "chancellor", "pope": "pope", "pastor": "pastor", "coach": "coach",
    "businessman": "businessman", "billionaire": "billionaire", "analyst": "analyst", "economist": "economist",
    "author": "author", "actor": "actor", "singer": "singer", "officer": "officer", "detective": "detective",
    "researcher": "researcher", "activist": "activist", "journalist": "journalist", "reporter": "reporter",
}
# Last words of a body's name, and what "the ..." may call it for them.
KINDS = {
    "bank": "bank", "corp": "company", "inc": "company", "company": "company", "co": "company", "motors": "company",
    "agency": "agency", "administration": "agency", "bureau": "agency", "service": "agency", "department": "department",
    "ministry": "ministry", "university": "university", "college": "college", "committee": "committee panel",
    "commission": "commission agency", "post": "newspaper paper", "times": "newspaper paper", "journal": "newspaper journal",
    "party": "party", "association": "association group", "union": "union group", "foundation": "foundation group",
    "fund": "fund group", "institute": "institute group", "center": "center group", "centre": "centre group",
    "coalition": "coalition group", "council": "council", "campaign": "campaign", "court": "court", "board": "board",
    "force": "force", "police": "police", "authority": "authority", "club": "club", "network": "network",
}
MENTIONS = 40  # of a name, whose surroundings are looked at


def words(text):
    return re.findall(r"[A-Za-z]+", text)


def descriptions(text, mentions):
    """Name -> what it may be called, from what stands beside its mentions."""
    found, seen = collections.defaultdict(list), collections.Counter()
    for m in mentions:
        if m["name"] is None or seen[m["name"]] >= MENTIONS:
            continue
        seen[m["name"]] += 1
        own = words(text[m["start"]:m["end"]])
        if m["class"] not in PEOPLE:
            kind = KINDS.get(own[-1].lower()) if own else None
            found[m["name"]] += kind.split() if kind else []
            continue
        before = words(re.split(r"[,;:!?()\n“”\"]", text[max(0, m["start"] - 50):m["start"]])[-1])[-4:]
        behind = re.match(r",([^,;:.!?()\n“”\"]{3,60})", text[m["end"]:])
        for word in own[:2] + before + (words(behind[1])[:8] if behind else []):
            found[m["name"]] += TITLES.get(word.lower(), "").split()
    return found


def made_mentions(documents, find_mentions, given, share, seed):
    """Documents with made pronouns and descriptions, and the mentions in them. `find_mentions`: documents -> {id: mentions}."""
    rng = random.Random(seed)
    plain = [{"id": d["id"], "text": d["text"]} for d in documents]
    found = find_mentions(plain)
    plain = [{**d, "mentions": found[d["id"]]} for d in plain]
    gender = genders(plain)
    lexicon = {n: g for kind, g in (("man", HE), ("woman", SHE)) for n in given[kind]}
    changed = []
    for d in plain:
        document, made = retold(d, gender, lexicon, share, rng)
        if made:
            changed.append((document, made))
    found = find_mentions([d for d, _ in changed])
    for document, made in changed:
        mentions = found[document["id"]]
        number = {}
        for name, form in fullest_forms(document["text"], mentions).items():
            number.setdefault(form, name)
        chains = [m["name"] if m["name"] is not None else UNKNOWN for m in mentions]
        count = 0
        for k, m in enumerate(mentions):
            name = number.get(made.get(m["start"]))
            if m["class"] in (HE, SHE, NOMINAL, DEFINITE) and name is not None:
                chains[k], count = name, count + 1
        if count:
            yield {**document, "mentions": mentions, "chains": chains, "names_only": True}


def fullest_forms(text, mentions):
    full = {}
    for m in mentions:
        if m["class"] in NAMES:
            full[m["name"]] = max(full.get(m["name"], ""), text[m["start"]:m["end"]], key=len)
    return full


def retold(document, gender, lexicon, share, rng):
    """The document with some names replaced; and where the made mentions start, with the full form of their names."""
    text, mentions = document["text"], document["mentions"]
    full, called, first = fullest_forms(text, mentions), descriptions(text, mentions), {}
    for m in mentions:
        if m["class"] in NAMES:
            first.setdefault(m["name"], m["start"])
    out, at, made = "", 0, {}
    for m in mentions:
        if m["class"] not in NAMES or m["source"] is None or first[m["name"]] == m["start"] or m["start"] < at:
            continue
        choices = sorted(set(called[m["name"]]))
        description = "the " + rng.choice(choices) if choices and rng.random() < 0.5 else None
        pronoun = {1: HE, 2: SHE}.get(m["class"]) or gender.get(full[m["name"]]) or lexicon.get(m.get("given"))
        word = description or (CLASSES[pronoun] if pronoun and m["class"] in PEOPLE else None)
        # "Mr. Holt" and "the Port Board" go as a whole.
        title = re.search(r"\b(?:(?:Mr|Mrs|Ms|Sen|Gov|Dr|Rep)\.|[Tt]he)\s$", text[:m["start"]])
        start = max(at, title.start()) if title else m["start"]
        follows = re.match(r"\s[a-z]", text[m["end"]:])
        if not word or not follows or not BEFORE.search(text[max(0, start - 16):start]) or rng.random() >= share:
            continue
        opens = re.search(r'(^|[\n.?!:]["”]?\s*|["“]\s*)$', text[:start])
        out += text[at:start]
        made[len(out)] = full[m["name"]]
        out += word[0].upper() + word[1:] if opens else word
        at = m["end"]
    return {"id": document["id"], "text": out + text[at:]}, made
