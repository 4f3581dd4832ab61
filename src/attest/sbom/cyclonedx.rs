//! `CycloneDX` 1.6 as JSON (ECMA-424).

use super::component::Component;
use super::{Bill, mailbox};
use crate::attest::contents::{Licence, OwnFile};
use serde_json::{Map, Value, json};

/// The document of a bill.
pub(super) fn document(bill: &Bill) -> Value {
    let root = bill.purl();
    let mut components = Vec::new();
    let mut contained = Vec::new();
    let mut dependencies = Vec::new();
    if let Some((name, version)) = &bill.distribution {
        let reference = format!("os:{name}");
        let mut system = json!({ "type": "operating-system", "bom-ref": reference, "name": name });
        if let Some(version) = version {
            system["version"] = version.clone().into();
        }
        contained.push(reference);
        components.push(system);
    }
    for package in &bill.packages {
        contained.push(package.purl.clone());
        components.push(self::package(bill, package));
        if !package.needs.is_empty() {
            let mut needs: Vec<&str> = package.needs.iter().map(|need| bill.packages[*need].purl.as_str()).collect();
            needs.sort_unstable();
            dependencies.push(json!({ "ref": package.purl, "dependsOn": needs }));
        }
    }
    for file in &bill.files {
        let reference = format!("file:/{}", file.path);
        components.push(self::file(bill, file, &reference));
        contained.push(reference);
    }
    contained.sort();
    dependencies.push(json!({ "ref": root, "dependsOn": contained }));
    json!({
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "serialNumber": format!("urn:uuid:{}", bill.uuid("cyclonedx")),
        "metadata": {
            "timestamp": bill.created,
            "lifecycles": [{ "phase": "build" }],
            "tools": { "components": [{ "type": "application", "name": "remint" }] },
            "component": {
                "type": "container",
                "bom-ref": root,
                "name": bill.image,
                "version": bill.digest.to_string(),
                "purl": root,
                "hashes": [{ "alg": "SHA-256", "content": bill.digest.hex() }],
                "properties": [property("remint:platform", &bill.platform), property("remint:architecture", bill.arch)],
            },
        },
        "components": components,
        "dependencies": dependencies,
    })
}

fn package(bill: &Bill, package: &Component) -> Value {
    let mut fields = Map::new();
    let mut set = |key: &str, value: Value| drop(fields.insert(key.to_owned(), value));
    set("type", "library".into());
    set("bom-ref", package.purl.clone().into());
    set("name", package.name.clone().into());
    set("version", package.version.clone().into());
    set("purl", package.purl.clone().into());
    let mut properties = vec![property("remint:architecture", &package.arch)];
    if let Some((name, version)) = &package.source {
        properties.push(property("remint:source", name));
        properties.extend(version.iter().map(|version| property("remint:source-version", version)));
    }
    if let Some(locked) = &package.locked {
        set("hashes", json!([{ "alg": "SHA-256", "content": locked.pin.deb.digest.hex() }]));
        properties.push(property("remint:archive", &locked.archive));
        properties.push(property("remint:suite", &locked.pin.suite));
        properties.push(property("remint:path", &locked.pin.path));
        properties.extend(origin(bill, locked.layer));
    }
    set("properties", properties.into());
    if let Some(licence) = &package.licence {
        set("licenses", json!([self::licence(licence)]));
    }
    if let Some(maintainer) = &package.maintainer {
        let (name, mail) = mailbox(maintainer);
        let mut supplier = json!({ "name": name });
        if let Some(mail) = mail {
            supplier["contact"] = json!([{ "name": name, "email": mail }]);
        }
        set("supplier", supplier);
    }
    if let Some(summary) = &package.summary {
        set("description", summary.clone().into());
    }
    if let Some(homepage) = &package.homepage {
        set("externalReferences", json!([{ "type": "website", "url": homepage }]));
    }
    Value::Object(fields)
}

/// An expression; a single licence that SPDX does not list goes in with its text, which an expression has no place for.
fn licence(licence: &Licence) -> Value {
    match licence.others.get(&licence.expression) {
        Some((name, text)) => {
            json!({ "license": { "name": name, "text": { "content": text }, "acknowledgement": "declared" } })
        }
        None => json!({ "expression": licence.expression, "acknowledgement": "declared" }),
    }
}

fn file(bill: &Bill, file: &OwnFile, reference: &str) -> Value {
    json!({
        "type": "file",
        "bom-ref": reference,
        "name": format!("/{}", file.path),
        "hashes": [{ "alg": "SHA-256", "content": file.sha256.hex() }],
        "properties": origin(bill, file.layer),
    })
}

/// Which layer of which recipe, and the layer's own digest.
fn origin(bill: &Bill, layer: usize) -> Vec<Value> {
    let Some((origin, diff_id)) = bill.layers.get(layer) else { return Vec::new() };
    let mut properties = vec![property("remint:recipe", origin.recipe.as_str())];
    properties.extend(origin.number.map(|number| property("remint:layer", &number.to_string())));
    properties.push(property("remint:layer-title", &origin.title));
    properties.push(property("remint:layer-diff-id", &diff_id.to_string()));
    properties
}

fn property(name: &str, value: &str) -> Value {
    json!({ "name": name, "value": value })
}
