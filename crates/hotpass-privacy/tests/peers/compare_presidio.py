"""Holds the recognisers of Hotpass beside those of Presidio (pattern and checksum ones, no language model) on one labelled set.

    cargo test -p hotpass-privacy --test it accuracy
    pip install presidio-analyzer
    python crates/hotpass-privacy/tests/peers/compare_presidio.py target/tmp/personal_data.ndjson

The set is what the test has invented, with the labels and what Hotpass found. Nothing is downloaded: the language pipeline is
spaCy's blank one, so that names, which Presidio finds by a model, are left out of Presidio's column.
"""

import json
import logging
import sys
from collections import defaultdict

import presidio_analyzer
import spacy
from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
from presidio_analyzer import predefined_recognizers as recognizers
from presidio_analyzer.nlp_engine import SpacyNlpEngine

logging.disable(logging.WARNING)

CLASSES = {
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "ZA_MOBILE_NUMBER": "phone",
    "ZA_TELEPHONE_NUMBER": "phone",
    "CREDIT_CARD": "payment_card",
    "IBAN_CODE": "iban",
    "IP_ADDRESS": "ip_address",
    "ZA_ID_NUMBER": "za_id",
    "ZA_PASSPORT": "passport",
    "ZA_VAT_NUMBER": "tax_number",
    "ZA_INCOME_TAX_NUMBER": "tax_number",
}
NAMES = [
    "CreditCardRecognizer",
    "EmailRecognizer",
    "IbanRecognizer",
    "IpRecognizer",
    "PhoneRecognizer",
    "ZaIdNumberRecognizer",
    "ZaIncomeTaxNumberRecognizer",
    "ZaMobileNumberRecognizer",
    "ZaPassportRecognizer",
    "ZaTelephoneNumberRecognizer",
    "ZaVatNumberRecognizer",
]


class BlankEngine(SpacyNlpEngine):
    """spaCy without a model: words for the context, nothing else."""

    def __init__(self):
        super().__init__()
        self.nlp = {"en": spacy.blank("en")}

    def is_loaded(self):
        return True

    def load(self):
        pass


def analyzer():
    registry = RecognizerRegistry(supported_languages=["en"])
    for name in NAMES:
        kind = getattr(recognizers, name)
        if name == "PhoneRecognizer":
            recognizer = kind(supported_language="en", supported_regions=("ZA", "GB", "DE", "US"))
        else:
            recognizer = kind(supported_language="en")
        registry.add_recognizer(recognizer)
    return AnalyzerEngine(registry=registry, nlp_engine=BlankEngine(), supported_languages=["en"])


def score(rows, found_of):
    """Returns precision and recall by class; a find counts where it overlaps a label of its class."""
    found_all, hits, labels_all, missed = (defaultdict(int) for _ in range(4))
    for row in rows:
        found = found_of(row)
        meets = lambda a, b: a["class"] == b["class"] and a["start"] < b["end"] and b["start"] < a["end"]
        for span in found:
            found_all[span["class"]] += 1
            hits[span["class"]] += any(meets(span, label) for label in row["labels"])
        for label in row["labels"]:
            labels_all[label["class"]] += 1
            missed[label["class"]] += not any(meets(span, label) for span in found)
    return {
        name: (
            hits[name] / found_all[name] if found_all[name] else None,
            (labels_all[name] - missed[name]) / labels_all[name],
        )
        for name in labels_all
    }


def main(path):
    with open(path, encoding="utf-8") as lines:
        rows = [json.loads(line) for line in lines]
    engine = analyzer()
    results = {}
    for row in rows:
        results[row["text"]] = [
            {"class": CLASSES[found.entity_type], "start": found.start, "end": found.end, "score": found.score}
            for found in engine.analyze(row["text"], language="en")
            if found.entity_type in CLASSES
        ]
    columns = {"Hotpass": score(rows, lambda row: row["found"])}
    for threshold in (0.0, 0.4):
        columns[f"Presidio ≥ {threshold}"] = score(
            rows, lambda row, least=threshold: [found for found in results[row["text"]] if found["score"] >= least]
        )
    text = lambda value: "–" if value is None else f"{value:.3f}"
    version = getattr(presidio_analyzer, "__version__", None)
    if version is None:
        from importlib.metadata import version as of

        version = of("presidio-analyzer")
    print(f"{len(rows)} texts; presidio-analyzer {version}; precision / recall")
    print("| class | " + " | ".join(columns) + " |")
    print("| --- |" + " ---: |" * len(columns))
    for name in sorted({name for column in columns.values() for name in column}):
        cells = [f"{text(column[name][0])} / {text(column[name][1])}" for column in columns.values()]
        cells = ["– " if name not in CLASSES.values() and at else cell for at, cell in enumerate(cells)]
        print(f"| `{name}` | " + " | ".join(cells) + " |")
    worse = [
        name
        for name in columns["Hotpass"]
        if name in CLASSES.values()
        for other in list(columns)[1:]
        if columns["Hotpass"][name][1] < columns[other][name][1] - 0.02
    ]
    if worse:
        sys.exit(f"Hotpass finds less than Presidio: {', '.join(sorted(set(worse)))}")


if __name__ == "__main__":
    main(sys.argv[1])
