"""Builds words.tsv, the list of English words, from WordNet 3.0 and wordfreq.

    pip install wordfreq==3.1.1 better-profanity==0.7.0
    python envs/data/build_words.py WORDNET > envs/data/words.tsv

``WORDNET`` is the folder with WordNet's ``data.noun``, ``index.noun``, ``noun.exc`` and so on
(Debian: /usr/share/wordnet of the package wordnet-base 1:3.0). What is left out, and the licences,
are in README.md beside this file.
"""

import re
import sys
from collections import defaultdict
from importlib import import_module
from pathlib import Path

from sparring.envs.words import inflections

FILES = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
LEAST_ZIPF = 2.0  # a hundred times in 10⁹ words
ROMAN = re.compile(r"l?x{0,3}(?:i[xv]|v?i{0,3})|x[lc]v?i*")
BAD_USES = {"ethnic_slur", "obscenity", "disparagement", "combining_form", "trade_name"}

# Function words and the like that WordNet lists for some other sense of theirs.
STOP = """
    about above after again against all along also although always among and another any anybody
    anyone anything are around away back because been before behind being below between both but
    can cannot could did does doing done down during each either else enough etc even ever every
    for from further get gets getting give goes going gone got had has have having hence her here
    him himself his how however inside instead into its itself just less let like many may maybe
    might mine more most much must nay near need neither never nobody none nor not nothing now off
    often once one only onto other our out outside over own per perhaps please quite rather shall
    she should since some somebody someone something soon still such than that the their them then
    there these they this those though through throughout thus till too toward towards two under
    until upon very via was well were what when where whether which while who whole whom whose why
    will with within without would yeah yes yet you your
"""

# Given names that are common nouns too ("john", "bill"), where the name is what one reads.
GIVEN = """
    alan alec alex alfred alice amber amy andy angel angela ann anna anne april barry beth betty
    bill billy bob bobby carol charles charlie chris christian clark dan daniel dave david dean
    dick don doug drew duncan earl eddie elizabeth emma eric ernest eve frank fred gary gene george
    gerry graham grant guy hal hank harry harvey heather heath helen henry herb holly howard hugh
    ian iris ivan ivy jack jackie jake james jane jason jay jean jeff jennifer jenny jerry jessica
    jill jim jimmy jock joe joey john johnny jon jordan joseph josh joy judy julia julie karen kate
    kelly ken kevin kim kitty larry laura lee leo leon lily linda lisa louis louise lucy luke mac
    madeleine magdalen marc marcus maria marie marina mark martha martin mary matt max may megan
    melissa michael mickey mike mona morris moses nancy ned nelly nick norman oscar otto pam pat
    patrick paul paula peg peggy penny perry pete peter phil philip randy ray rebecca reg rex
    richard rick rob robert robin rod roger ron rosemary roy russell ruth ryan sally sam samuel
    sandy sara sarah scott sean sharon simon stella stephen steve stewart stuart sue susan ted
    teddy terry theresa thomas tim timothy tina todd tom tommy tony tracy trevor troy victor vera
    victoria wade walter warren wayne wendy will william willy
"""

# What neither WordNet's usage marks nor better-profanity has.
RUDE = "bugger cripple goy gypsy imbecile midget mulatto negro spastic squaw"


def senses(folder: Path) -> dict[str, dict[str, list[bool]]]:
    """Word to class to its senses, most frequent first: is it a common word in that sense?"""
    common: dict[tuple[str, str, str], bool] = {}  # class, synset, word
    uses: dict[str, set[str]] = {}
    names = {}
    for letter, stem in FILES.items():
        for line in _lines(folder / f"data.{stem}"):
            head = line.split("|")[0].split()
            count = int(head[3], 16)
            words = [re.sub(r"\(.*\)$", "", word) for word in head[4 : 4 + 2 * count : 2]]
            marks = head[5 + 2 * count :: 4], head[6 + 2 * count :: 4]
            pointers = list(zip(*marks, strict=False))[: int(head[4 + 2 * count])]
            names[head[0]] = words[0]
            uses[letter + head[0]] = {to for mark, to in pointers if mark == ";u"}
            named = any(mark == "@i" for mark, _ in pointers)
            for word in words:
                key = letter, head[0], word.lower()
                common[key] = common.get(key, False) or (word.islower() and not named)
    found: dict[str, dict[str, list[bool]]] = defaultdict(dict)
    for letter, stem in FILES.items():
        for line in _lines(folder / f"index.{stem}"):
            word, *rest = line.split()
            for offset in rest[-int(rest[1]) :]:
                bad = {names.get(use) for use in uses[letter + offset]} & BAD_USES
                is_common = common[letter, offset, word] and not bad
                found[word].setdefault(letter, []).append(is_common)
    return found


def irregular(folder: Path) -> dict[str, dict[str, set[str]]]:
    """Class to word to the forms that WordNet lists as exceptions."""
    found: dict[str, dict[str, set[str]]] = {}
    for letter, stem in FILES.items():
        found[letter] = defaultdict(set)
        for line in _lines(folder / f"{stem}.exc"):
            form, *words = line.split()
            for word in words:
                if form.isalpha() and form != word:
                    found[letter][word].add(form)
    return found


def _lines(path: Path) -> list[str]:
    text = path.read_text(encoding="utf-8", errors="replace")
    return [line for line in text.splitlines() if not line.startswith("  ")]


def main(folder: Path) -> None:
    frequency = import_module("wordfreq").zipf_frequency
    profane = import_module("better_profanity").profanity
    listed, exceptions = senses(folder), irregular(folder)
    left_out = set(f"{STOP} {GIVEN} {RUDE}".split())
    rows: dict[str, tuple[float, str]] = {}
    for word, by_class in listed.items():
        if not re.fullmatch("[a-z]{3,}", word) or not re.search("[aeiouy]", word):
            continue
        first_common = [c for c, common in by_class.items() if common[0]]
        name = "n" in by_class and "n" not in first_common  # the usual sense is a name or a slur
        if name or not first_common or word in left_out or ROMAN.fullmatch(word):
            continue
        zipf = frequency(word, "en", wordlist="large")
        if zipf >= LEAST_ZIPF and not profane.contains_profanity(word):
            rows[word] = zipf, "".join(first_common)
    plural = {form for w, (_, c) in rows.items() if "n" in c for form in inflections(w, "n") - {w}}
    inflected = set[str]()
    for word, (_, classes) in rows.items():
        inflected |= inflections(word, classes) - {word}
        inflected = inflected.union(*(exceptions[letter][word] for letter in classes))
    for word in sorted(rows, key=lambda word: (-rows[word][0], word)):
        zipf, classes = rows[word]
        if word in plural or (word in inflected and "n" not in classes):
            continue  # "cars", "said"; but "building" is a thing, too
        plurals = exceptions["n"][word] if "n" in classes else set()
        others = set[str]().union(*(exceptions[letter][word] for letter in set(classes) - {"n"}))
        columns = (sorted(forms - inflections(word, classes)) for forms in (plurals, others))
        print(word, f"{zipf:.2f}", classes, *map(" ".join, columns), sep="\t")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
