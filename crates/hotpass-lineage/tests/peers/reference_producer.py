"""Rebuilds a run's OpenLineage events with the classes of openlineage-python and compares what the client would send.

Usage: python reference_producer.py LINEAGE.ndjson... [--json FACETS.json]

Each event is taken apart and built anew, facet by facet, with the client's classes, which refuse unknown fields, missing fields,
times that are no times and run ids that are no UUIDs. A facet's class is the one whose schema the facet names, so a facet in the
wrong place is refused as well. Then the client writes the event, and whatever it writes otherwise is a difference. A schema of
another version than the client's is said, and is no difference. Prints a table of the facets and ends with 1 where an event was
refused or differs.
"""

import collections
import importlib
import json
import pkgutil
import sys
import types
import typing
from enum import Enum

import attr
from dateutil import parser as times
from openlineage.client import generated
from openlineage.client.event_v2 import RunEvent
from openlineage.client.generated import base
from openlineage.client.serde import Serde

SPECIFICATION = "https://openlineage.io/spec/"
PLACES = {
    "run": base.RunFacet,
    "job": base.JobFacet,
    "dataset": base.DatasetFacet,
    "input": base.InputDatasetFacet,
    "output": base.OutputDatasetFacet,
}


class Refused(Exception):
    """What the client's classes do not take."""


def facet_classes():
    """Maps each schema of a facet to its class, by the place where the facet may stand."""
    classes = {place: {} for place in PLACES}
    for module in pkgutil.iter_modules(generated.__path__):
        for item in vars(importlib.import_module(f"{generated.__name__}.{module.name}")).values():
            for place, parent in PLACES.items():
                if isinstance(item, type) and issubclass(item, parent) and item is not parent:
                    classes[place][name_of(item._get_schema())] = item
    return classes


def name_of(schema):
    """Names a schema whatever its version: https://openlineage.io/spec/facets/1-0-0/X.json#/$defs/X gives X."""
    return schema.split("#")[0].rsplit("/", 1)[-1].removesuffix(".json") + "#" + schema.rsplit("/", 1)[-1]


CLASSES = facet_classes()


def facet(place, key, value, seen):
    """Builds one facet; one that is no part of the specification is checked as a base facet and kept."""
    schema = value.get("_schemaURL", "")
    found = CLASSES[place].get(name_of(schema)) if schema.startswith(SPECIFICATION) else None
    seen[place, key] = found.__name__ if found else "extension"
    if found:
        return build(found, value, f"{place}/{key}")
    if schema.startswith(SPECIFICATION):
        raise Refused(f"{place}/{key}: the client has no facet with schema {schema} here")
    if not value.get("_producer") or not schema:
        raise Refused(f"{place}/{key}: an extension needs a producer and a schema")
    extension = PLACES[place](producer=value["_producer"])
    rest = {name: item for name, item in value.items() if name not in ("_producer", "_schemaURL")}
    extension = extension.with_additional_properties(**rest)
    extension._schemaURL = schema
    return extension


def facets(place, values, seen):
    """Builds the facets that can be built, and notes what is wrong with the others."""
    built = {}
    for key, value in (values or {}).items():
        try:
            built[key] = facet(place, key, value, seen)
        except Refused as refusal:
            seen.setdefault("refused", []).append(str(refusal))
    return built


def build(kind, value, path):
    """Builds a value of a class or of a type hint from JSON."""
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        refusals = []
        for option in typing.get_args(kind):
            if option is type(None):
                if value is None:
                    return None
                continue
            try:
                return build(option, value, path)
            except Refused as refusal:
                refusals.append(str(refusal))
        raise Refused(refusals[0] if refusals else f"{path}: null")
    if typing.get_origin(kind) is list:
        check(isinstance(value, list), path, "not a list")
        return [build(typing.get_args(kind)[0], item, f"{path}/{at}") for at, item in enumerate(value)]
    if typing.get_origin(kind) is dict:
        check(isinstance(value, dict), path, "not an object")
        return {key: build(typing.get_args(kind)[1], item, f"{path}/{key}") for key, item in value.items()}
    if typing.get_origin(kind) is typing.Literal:
        check(value in typing.get_args(kind), path, f"not one of {typing.get_args(kind)}")
        return value
    if kind in (typing.Any, object):
        return value
    if isinstance(kind, type) and issubclass(kind, Enum):
        try:
            return kind(value)
        except ValueError as error:
            raise Refused(f"{path}: {error}") from error
    if attr.has(kind):
        return instance(kind, value, path)
    wanted = (int, float) if kind is float else kind
    check(isinstance(value, wanted) and not (kind is not bool and isinstance(value, bool)), path, f"not {kind.__name__}")
    return value


def instance(kind, value, path):
    check(isinstance(value, dict), path, "not an object")
    hints = typing.get_type_hints(kind)
    fields = {field.name: field for field in attr.fields(kind)}
    # The client writes the schema of each facet and event itself; `compare` sees whether it is the one that was sent.
    given = {name: item for name, item in value.items() if name not in ("_schemaURL", "schemaURL")}
    arguments, extra = {}, {}
    for name, item in given.items():
        if name in fields:
            arguments[fields[name].alias] = build(hints[name], item, f"{path}/{name}")
        elif hasattr(kind, "with_additional_properties") and attr.has(kind) and not issubclass(kind, base.BaseFacet):
            extra[name] = item
        else:
            raise Refused(f"{path}: the client's {kind.__name__} has no field `{name}`")
    try:
        built = kind(**arguments)
    except (TypeError, ValueError) as error:
        raise Refused(f"{path}: {error}") from error
    return built.with_additional_properties(**extra) if extra else built


def check(holds, path, complaint):
    if not holds:
        raise Refused(f"{path}: {complaint}")


def event(sent, seen):
    """Builds a run event the way an integration that uses the client does."""
    known = {"eventType", "eventTime", "producer", "schemaURL", "run", "job", "inputs", "outputs"}
    check(not set(sent) - known, "event", f"unknown fields {sorted(set(sent) - known)}")
    check({"eventTime", "producer", "schemaURL", "run", "job"} <= set(sent), "event", "fields are missing")
    run = dict(sent["run"], facets=facets("run", sent["run"].get("facets"), seen))
    job = dict(sent["job"], facets=facets("job", sent["job"].get("facets"), seen))
    try:
        return RunEvent(
            eventType=base.EventType(sent["eventType"]),
            eventTime=sent["eventTime"],
            producer=sent["producer"],
            run=base.Run(**run),
            job=base.Job(**job),
            inputs=[dataset(base.InputDataset, "input", item, seen) for item in sent.get("inputs", [])],
            outputs=[dataset(base.OutputDataset, "output", item, seen) for item in sent.get("outputs", [])],
        )
    except (TypeError, ValueError, KeyError) as error:
        raise Refused(f"event: {error}") from error


def dataset(kind, place, value, seen):
    parts = dict(value, facets=facets("dataset", value.get("facets"), seen))
    own = f"{place}Facets"
    if own in value:
        parts[own] = facets(place, value[own], seen)
    return kind(**parts)


def compare(sent, written, path=""):
    """Lists what the client writes otherwise; an empty list or object and an absent one say the same."""
    if isinstance(sent, dict) and isinstance(written, dict):
        for key in sorted(set(sent) | set(written)):
            yield from compare(sent.get(key), written.get(key), f"{path}/{key}")
    elif isinstance(sent, list) and isinstance(written, list) and len(sent) == len(written):
        for at, (left, right) in enumerate(zip(sent, written)):
            yield from compare(left, right, f"{path}/{at}")
    elif path.endswith("chemaURL") and str(sent) != str(written) and name_of(str(sent)) == name_of(str(written)):
        yield f"{path}: Schema version: sent {sent}, the client writes {written}"
    elif not same(sent, written):
        yield f"{path}: sent {json.dumps(sent)}, the client writes {json.dumps(written)}"


def same(sent, written):
    if sent == written and isinstance(sent, bool) == isinstance(written, bool):
        return True
    if sent in (None, [], {}) and written in (None, [], {}):
        return True
    if isinstance(sent, str) and isinstance(written, str):
        try:
            return times.isoparse(sent) == times.isoparse(written)
        except ValueError:
            return False
    return False


def main(arguments):
    report = None
    if "--json" in arguments:
        at = arguments.index("--json")
        report = arguments[at + 1]
        del arguments[at : at + 2]
    counts, refusals, notes = collections.Counter(), [], set()
    rows = {}
    for path in arguments:
        with open(path, encoding="utf-8") as lines:
            for number, line in enumerate(lines, 1):
                if not line.strip():
                    continue
                seen = {}
                try:
                    sent = json.loads(line)
                    written = Serde.to_dict(event(sent, seen))
                    refused = seen.pop("refused", [])
                    found = refused or list(compare(sent, written))
                except Refused as refusal:
                    found = [str(refusal)]
                counts["events"] += 1
                versions = [one for one in found if "Schema version" in one]
                notes.update(one.split(": ", 1)[1] for one in versions)
                refusals += [f"{path}:{number}: {one}" for one in found if one not in versions]
                for (place, key), kind in seen.items():
                    rows.setdefault((place, key, kind), 0)
                    rows[place, key, kind] += 1
    print(f"{'where':<8} {'facet':<24} {'class of openlineage-python':<38} events")
    for (place, key, kind), count in sorted(rows.items()):
        print(f"{place:<8} {key:<24} {kind:<38} {count}")
    for note in sorted(notes):
        print(note)
    for refusal in refusals[:40]:
        print(f"DIFFERENT {refusal}")
    print(f"{counts['events']} events, {len(refusals)} differences")
    if report:
        facts = [
            {"where": place, "key": key, "class": kind, "events": count}
            for (place, key, kind), count in sorted(rows.items())
        ]
        with open(report, "w", encoding="utf-8") as out:
            json.dump({"events": counts["events"], "facets": facts, "differences": refusals}, out, indent=2)
    return 1 if refusals or not counts["events"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
