//! SPDX 2.3 as JSON (SPDX specification 2.3; clause numbers in comments).

use super::component::Component;
use super::{Bill, mailbox};
use crate::attest::contents::OwnFile;
use crate::attest::trace::Origin;
use crate::digest::Digest;
use serde_json::{Map, Value, json};
use std::collections::{BTreeMap, BTreeSet};

/// The document of a bill.
pub(super) fn document(bill: &Bill) -> Value {
    let mut taken = BTreeSet::new();
    let ids: Vec<String> = bill.packages.iter().map(|package| id(package, &mut taken)).collect();
    let mut packages = vec![image(bill)];
    let mut relationships = vec![relationship("SPDXRef-DOCUMENT", "DESCRIBES", IMAGE)];
    let mut others: BTreeMap<&str, &(String, String)> = BTreeMap::new();
    for (package, id) in bill.packages.iter().zip(&ids) {
        packages.push(self::package(bill, package, id));
        relationships.push(relationship(IMAGE, "CONTAINS", id));
        relationships.extend(package.needs.iter().map(|need| relationship(id, "DEPENDS_ON", &ids[*need])));
        let licences = package.licence.iter().flat_map(|licence| &licence.others);
        others.extend(licences.map(|(id, licence)| (id.as_str(), licence)));
    }
    let mut files = Vec::new();
    for (layer, (origin, diff_id)) in bill.layers.iter().enumerate() {
        let own: Vec<&OwnFile> = bill.files.iter().filter(|file| file.layer == layer).collect();
        if own.is_empty() {
            continue;
        }
        let id = format!("SPDXRef-Layer-{}", layer + 1);
        packages.push(self::layer(origin, diff_id, &id, &own));
        relationships.push(relationship(IMAGE, "CONTAINS", &id));
        for one in own {
            let file = file(one);
            relationships.push(relationship(&id, "CONTAINS", file["SPDXID"].as_str().unwrap_or_default()));
            files.push(file);
        }
    }
    let texts =
        others.into_iter().map(|(id, (name, text))| json!({ "licenseId": id, "name": name, "extractedText": text }));
    let texts: Vec<Value> = texts.collect();
    let mut document = json!({
        "SPDXID": "SPDXRef-DOCUMENT",
        "spdxVersion": "SPDX-2.3",
        "dataLicense": "CC0-1.0",
        "name": format!("{} {}", bill.image, bill.platform),
        // Unique, and it need not lead anywhere (6.5).
        "documentNamespace": format!("urn:uuid:{}", bill.uuid("spdx")),
        "creationInfo": { "created": bill.created, "creators": ["Tool: remint"] },
        "packages": packages,
        "relationships": relationships,
    });
    // Empty lists are left out.
    for (key, list) in [("files", files), ("hasExtractedLicensingInfos", texts)] {
        if !list.is_empty() {
            document[key] = Value::Array(list);
        }
    }
    document
}

/// The image's own identifier.
const IMAGE: &str = "SPDXRef-Image";

fn image(bill: &Bill) -> Value {
    json!({
        "SPDXID": IMAGE,
        "name": bill.image,
        "versionInfo": bill.digest.to_string(),
        "primaryPackagePurpose": "CONTAINER",
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": false,
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "copyrightText": "NOASSERTION",
        "checksums": [checksum("SHA256", &bill.digest.hex())],
        "externalRefs": [purl(&bill.purl())],
        "comment": format!("an image for {}; the checksum is that of its manifest", bill.platform),
    })
}

fn package(bill: &Bill, package: &Component, id: &str) -> Value {
    let mut fields = Map::new();
    let mut set = |key: &str, value: Value| drop(fields.insert(key.to_owned(), value));
    set("SPDXID", id.into());
    set("name", package.name.clone().into());
    set("versionInfo", package.version.clone().into());
    set("downloadLocation", "NOASSERTION".into());
    set("filesAnalyzed", false.into());
    set("licenseConcluded", "NOASSERTION".into());
    let declared = package.licence.as_ref().map_or("NOASSERTION", |licence| &licence.expression);
    set("licenseDeclared", declared.into());
    set("copyrightText", "NOASSERTION".into());
    set("externalRefs", json!([purl(&package.purl)]));
    if let Some(locked) = &package.locked {
        set("checksums", json!([checksum("SHA256", &locked.pin.deb.digest.hex())]));
        let name = locked.pin.path.rsplit('/').next().unwrap_or_default();
        set("packageFileName", name.into());
        if let Some((origin, _)) = bill.layers.get(locked.layer) {
            set("comment", origin.sentence().into());
        }
    }
    if let Some(story) = package.story() {
        set("sourceInfo", story.into());
    }
    if let Some(maintainer) = &package.maintainer {
        set("supplier", supplier(maintainer).into());
    }
    if let Some(homepage) = &package.homepage {
        set("homepage", homepage.clone().into());
    }
    if let Some(summary) = &package.summary {
        set("summary", summary.clone().into());
    }
    Value::Object(fields)
}

/// The files that a layer of the project's own put into the image, as a package (7.9: what verifies them all together).
fn layer(origin: &Origin, diff_id: &Digest, id: &str, files: &[&OwnFile]) -> Value {
    use sha1::Digest as _;
    let mut sums: Vec<&str> = files.iter().map(|file| file.sha1.as_str()).collect();
    sums.sort_unstable();
    let code: String = sha1::Sha1::digest(sums.concat()).iter().map(|byte| format!("{byte:02x}")).collect();
    json!({
        "SPDXID": id,
        "name": origin.sentence(),
        "versionInfo": diff_id.to_string(),
        "downloadLocation": "NOASSERTION",
        "filesAnalyzed": true,
        "packageVerificationCode": { "packageVerificationCodeValue": code },
        "licenseConcluded": "NOASSERTION",
        "licenseDeclared": "NOASSERTION",
        "licenseInfoFromFiles": ["NOASSERTION"],
        "copyrightText": "NOASSERTION",
    })
}

fn file(file: &OwnFile) -> Value {
    json!({
        // A path is there once, so its digest tells files apart.
        "SPDXID": format!("SPDXRef-File-{}", &Digest::of(file.path.as_bytes()).hex()[..16]),
        "fileName": format!("./{}", file.path),
        "checksums": [checksum("SHA1", &file.sha1), checksum("SHA256", &file.sha256.hex())],
        "licenseConcluded": "NOASSERTION",
        "licenseInfoInFiles": ["NOASSERTION"],
        "copyrightText": "NOASSERTION",
    })
}

/// Words that only names of groups have.
const GROUPS: [&str; 9] =
    ["Debian", "Developers", "Folks", "Group", "Maintainers", "Packagers", "Packaging", "Project", "Team"];

/// A supplier is a person or an organisation (7.5); Debian does not say which, the words of the name do.
fn supplier(maintainer: &str) -> String {
    let (name, mail) = mailbox(maintainer);
    let group = name.split([' ', '-']).any(|word| GROUPS.iter().any(|group| group.eq_ignore_ascii_case(word)));
    let kind = if group { "Organization" } else { "Person" };
    // Parentheses would end the name: behind it they hold the address.
    let name = name.replace(['(', ')'], "");
    match mail {
        Some(mail) => format!("{kind}: {} ({mail})", name.trim()),
        None => format!("{kind}: {}", name.trim()),
    }
}

/// An identifier of letters, digits, dots and hyphens that no other package of the document has (7.2).
fn id(package: &Component, taken: &mut BTreeSet<String>) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() || c == '.' { c } else { '-' };
    let name: String = format!("{}-{}", package.name, package.arch).chars().map(plain).collect();
    let first = format!("SPDXRef-Package-{name}");
    let mut id = first.clone();
    let mut number = 1;
    while !taken.insert(id.clone()) {
        number += 1;
        id = format!("{first}-{number}");
    }
    id
}

fn relationship(from: &str, kind: &str, to: &str) -> Value {
    json!({ "spdxElementId": from, "relationshipType": kind, "relatedSpdxElement": to })
}

fn checksum(algorithm: &str, hex: &str) -> Value {
    json!({ "algorithm": algorithm, "checksumValue": hex })
}

fn purl(purl: &str) -> Value {
    json!({ "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl", "referenceLocator": purl })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn suppliers_are_people_or_groups() {
        assert_eq!(supplier("Ann Other <ann@x.test>"), "Person: Ann Other (ann@x.test)");
        assert_eq!(supplier("\"X Team\" <x@x.test>"), "Organization: X Team (x@x.test)");
        assert_eq!(supplier("Ann (packages)"), "Person: Ann packages");
    }
}
