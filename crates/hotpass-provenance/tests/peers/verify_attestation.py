"""Verifies an attestation of Hotpass with the code of others: securesystemslib for the envelope and the signature,
in-toto-attestation for the types of the statement, and hashlib for the files.

Usage: verify_attestation.py ATTESTATION PUBLIC_KEY [FOLDER_OF_OUTPUTS]
"""

import hashlib
import json
import sys
from pathlib import Path

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_pem_public_key
from google.protobuf.json_format import ParseDict
from in_toto_attestation.predicates.provenance.v1.provenance_pb2 import Provenance
from in_toto_attestation.v1.statement import Statement
from in_toto_attestation.v1.statement_pb2 import Statement as StatementMessage
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def main() -> None:
    attestation, key_file = Path(sys.argv[1]), Path(sys.argv[2])
    outputs = Path(sys.argv[3]) if len(sys.argv) > 3 else attestation.parent
    public = load_pem_public_key(key_file.read_bytes())
    der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    key = SSlibKey.from_crypto(public, keyid=hashlib.sha256(der).hexdigest())

    document = json.loads(attestation.read_text())
    envelope = Envelope.from_dict(dict(document))
    assert envelope.payload_type == "application/vnd.in-toto+json", envelope.payload_type
    accepted = envelope.verify([key], 1)
    assert list(accepted) == [key.keyid], accepted

    # What is signed is the statement, byte for byte.
    changed = Envelope(envelope.payload.replace(b"sha256", b"sha257", 1), envelope.payload_type, envelope.signatures)
    try:
        changed.verify([key], 1)
    except VerificationError:
        pass
    else:
        raise AssertionError("a changed payload verifies")

    payload = json.loads(envelope.payload)
    message = ParseDict(payload, StatementMessage())
    Statement.copy_from_pb(message).validate()
    assert payload["predicateType"] == "https://slsa.dev/provenance/v1", payload["predicateType"]
    provenance = ParseDict(payload["predicate"], Provenance())
    assert provenance.build_definition.build_type and provenance.run_details.builder.id
    assert provenance.run_details.metadata.invocation_id

    run_dir = attestation.parent
    checked = 0
    for resource in [*message.subject, *provenance.run_details.byproducts]:
        if "#" in resource.name:
            name, sequence = resource.name.removeprefix("run/").split("#")
            line = (run_dir / name).read_bytes().splitlines()[int(sequence)]
            found = hashlib.sha256(line[: line.rindex(b',"hash":"')] + b"}").hexdigest()
        elif resource.name.startswith("run/"):
            found = sha256(run_dir / resource.name.removeprefix("run/"))
        else:
            found = sha256(outputs / resource.name)
        assert found == resource.digest["sha256"], f"{resource.name}: {found}"
        checked += 1
    print(f"{attestation.name}: signature of {key.keyid[:12]}…, statement and {checked} digests verified")


main()
