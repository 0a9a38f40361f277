"""Documents a second of the finder of mentions against a plain `re` alternation of the same names, in one run.

The texts are made from the simulator's phrases and small talk, so that anybody can repeat it: one in four names a
product, as in a phone subreddit's listing. Where recorded comments lie beside the repository, they are measured too.
`re` gets the names in longest-first order with word boundaries, and does nothing but find them: no context, no
versions it was not told of, no sentences. It is so slow that it reads a part of the texts only.

    python -m bench.mentions [--runs 5] [--json]
"""

import argparse
import csv
import json
import random
import re
import statistics
import time
from collections.abc import Callable, Iterable
from pathlib import Path

from market_opinion.aspects import aspects_of
from market_opinion.documents import Context, Document, document_of
from market_opinion.market import Market, load_market
from market_opinion.mentions import MentionFinder
from market_opinion.names import Kind, names_of
from reddit_sim import phrases

DOCUMENTS = 20_000
FOR_RE = 400
HERE = Context("Thoughts on the iPhone 17 after a month", "", "smartphones")


def made_texts() -> list[str]:
    chance = random.Random(7)
    products = [product for of_brand in phrases.BRANDS.values() for product in of_brand]
    said = [phrase for _, *kinds in phrases.ASPECTS.values() for kind in kinds for phrase in kind]
    talk = [*phrases.NEUTRAL, *(f"I think {line.strip().lower()}" for line in phrases.MORE)]
    return [
        chance.choice(said).format(x=chance.choice(products)) if chance.random() < 0.25 else chance.choice(talk)
        for _ in range(DOCUMENTS)
    ]


def recorded_texts() -> list[str]:
    for folder in Path(__file__).resolve().parents:
        path = folder / "shared" / "data" / "opinion" / "reddit_goemotions.dev.tsv"
        if path.is_file():
            with path.open(encoding="utf-8", newline="") as file:
                return [row["text"] for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE)]
    return []


def alternation(market: Market) -> re.Pattern[str]:
    names = sorted(
        (written for written, name in names_of(market).items() if name.kind is not Kind.EXCLUDED), key=len, reverse=True
    )
    return re.compile(rf"\b(?:{'|'.join(map(re.escape, names))})(?!\w)", re.IGNORECASE)


def rate(work: Callable[[Document], object], documents: Iterable[Document], runs: int) -> float:
    """Return documents a second of CPU time, the median of the runs."""
    documents = list(documents)
    rates = []
    for _ in range(runs):
        begun = time.process_time()
        for document in documents:
            work(document)
        rates.append(len(documents) / (time.process_time() - begun))
    return statistics.median(rates)


def measured(name: str, texts: list[str], market: Market, runs: int) -> dict[str, object]:
    finder, plain = MentionFinder(market), alternation(market)
    rows = [{"fullname": f"t1_{number}", "body": text, "created_utc": 0} for number, text in enumerate(texts)]
    begun = time.process_time()
    documents = [document_of(row, "comments") for row in rows]
    making = len(rows) / (time.process_time() - begun)
    ours = rate(lambda document: finder.find(document, HERE), documents, runs)
    whole = rate(lambda one: aspects_of(one, finder.find(one, HERE), market), documents, runs)
    theirs = rate(lambda document: plain.findall(document.clean), documents[:FOR_RE], 1)
    return {
        "texts": name,
        "documents": len(texts),
        "characters": round(statistics.mean(map(len, texts))),
        "with a mention": sum(bool(finder.find(document, HERE)) for document in documents),
        "documents made/s": round(making),
        "mentions: documents/s": round(ours),
        "with aspects: documents/s": round(whole),
        "re alternation: documents/s": round(theirs),
        "ours : re": round(ours / theirs, 1),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    market = load_market("smartphones")
    begun = time.process_time()
    MentionFinder(market)
    building = time.process_time() - begun
    found = [measured("made", made_texts(), market, asked.runs)]
    if recorded := recorded_texts():
        found.append(measured("recorded, general", recorded, market, asked.runs))
    if asked.json:
        print(json.dumps({"building_s": round(building, 3), "measured": found}))
        return
    print(
        f"{len(names_of(market)):,} names, ready in {building * 1000:.0f} ms;"
        f" one core, CPU time, median of {asked.runs} runs"
    )
    for key in found[0]:
        print(f"  {key:30}", *(f"{one[key]:>20,}" if isinstance(one[key], int) else f"{one[key]:>20}" for one in found))


if __name__ == "__main__":
    main()
