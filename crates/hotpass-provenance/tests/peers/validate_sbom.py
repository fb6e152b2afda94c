"""Validates a software bill of materials against the official schema of CycloneDX 1.6, strictly.

Usage: validate_sbom.py BILL
"""

import json
import sys
from pathlib import Path

from cyclonedx.model.bom import Bom
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator

text = Path(sys.argv[1]).read_text()
error = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
if error is not None:
    sys.exit(f"{sys.argv[1]}: {error}")
bom = Bom.from_json(json.loads(text))
hashed = sum(1 for component in bom.components if component.hashes)
licensed = sum(1 for component in bom.components if component.licenses)
assert licensed == len(bom.components) and hashed > 0
print(f"{sys.argv[1]}: valid CycloneDX 1.6; {len(bom.components)} components, {hashed} with hash, {licensed} with licence")
