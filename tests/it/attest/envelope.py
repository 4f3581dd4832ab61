"""Verifies a DSSE envelope with securesystemslib: `envelope.py ENVELOPE PUBLIC-KEY`; ends with 1 if it does not hold."""

import json
import sys

from cryptography.hazmat.primitives.serialization import load_pem_public_key
from securesystemslib.dsse import Envelope
from securesystemslib.exceptions import VerificationError
from securesystemslib.signer import SSlibKey

with open(sys.argv[1], "rb") as file:
    envelope = Envelope.from_dict(json.load(file))
with open(sys.argv[2], "rb") as file:
    key = SSlibKey.from_crypto(load_pem_public_key(file.read()), keyid="")
# Envelopes for cosign leave the hint empty; this library looks keys up by it.
key.keyid = ""
try:
    envelope.verify([key], 1)
except VerificationError as error:
    print(error)
    sys.exit(1)
