"""Reads PROV-JSON of Hotpass with the package prov, writes it again, and asks it where the published values came from.

Usage: check_prov.py DOCUMENT...
"""

import sys
from pathlib import Path

from prov.model import ProvDerivation, ProvDocument, ProvEntity, ProvGeneration


def name(value) -> str:
    return str(value)


for path in map(Path, sys.argv[1:]):
    document = ProvDocument.deserialize(content=path.read_text(), format="json")
    again = ProvDocument.deserialize(content=document.serialize(format="json"), format="json")
    assert again == document, f"{path}: the document does not survive a round trip"
    assert document.unified(), path
    assert document.get_provn().startswith("document"), path

    entities = {name(entity.identifier): entity for entity in document.get_records(ProvEntity)}
    derived = {}
    for record in document.get_records(ProvDerivation):
        (_, to), (_, source), *_ = record.formal_attributes
        derived.setdefault(name(to), []).append(name(source))
    generated = {name(record.formal_attributes[0][1]) for record in document.get_records(ProvGeneration)}

    def origins(entity: str) -> set[str]:
        below = derived.get(entity, [])
        return {origin for source in below for origin in origins(source)} if below else {entity}

    inputs = {id for id in entities if id.startswith("run:input-")}
    ends = [id for id in entities if id.startswith("run:output-") or id.endswith("-cell")]
    assert inputs and ends, path
    for end in ends:
        assert end in generated, f"{path}: nothing made {end}"
        assert origins(end) <= inputs, f"{path}: {end} comes from {origins(end)}"
    print(f"{path.name}: {len(document.get_records())} records, {len(ends)} outputs and cells traced to {len(inputs)} files")
