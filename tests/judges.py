"""A person who knows what was meant: fills in labelling sheets from the truth of a simulated world."""

import csv
from pathlib import Path

from market_opinion.sentiment.scoring import LABELS
from reddit_sim import GeneratedWorld


def meant(world: GeneratedWorld, fullname: str, brand: str) -> str:
    """Return what an item really says of a brand; "" where that is nothing, or this and that."""
    said = {opinion.polarity for opinion in world.truth(fullname) if opinion.brand.lower() == brand}
    return LABELS[said.pop() + 1] if len(said) == 1 else ""


def fill(world: GeneratedWorld, sheet: Path) -> dict[tuple[str, int], str]:
    """Fill in a sheet with what people really mean; return the labels by fullname and start."""
    with sheet.open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    given = {}
    for row in rows:
        fullname, span = row["mention"].split("/")[2:4]
        row["label"] = meant(world, fullname, row["brand"])
        if row["label"]:
            given[fullname, int(span.split("-")[0])] = row["label"]
    with sheet.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return given
