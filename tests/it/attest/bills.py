"""Holds bills of materials against spdx-tools, CycloneDX's strict validator and packageurl: `bills.py FILE…`; 1 if any finds fault."""

import json
import sys

from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document


def spdx(path, document):
    for finding in validate_full_spdx_document(parse_file(path)):
        yield f"{finding.validation_message} ({finding.context.spdx_id})"
    for package in document["packages"]:
        for reference in package.get("externalRefs", []):
            yield from purl(reference["referenceLocator"])


def cyclonedx(text, document):
    finding = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if finding:
        yield str(finding)
    for component in [document["metadata"]["component"], *document["components"]]:
        if "purl" in component:
            yield from purl(component["purl"])


def purl(text):
    canonical = PackageURL.from_string(text).to_string()
    if canonical != text:
        yield f"{text} is not canonical: {canonical}"


bad = False
for path in sys.argv[1:]:
    with open(path, encoding="utf-8") as file:
        text = file.read()
    document = json.loads(text)
    try:
        findings = list(spdx(path, document) if "spdxVersion" in document else cyclonedx(text, document))
    except Exception as error:
        findings = [repr(error)]
    for finding in findings:
        print(f"{path}: {finding}")
        bad = True
sys.exit(bad)
