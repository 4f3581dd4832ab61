//! Configurations of a built image, changed field by field: each change is seen and named.

use super::compared;
use crate::support::handmade::{self, native};
use crate::support::random::random;
use remint::digest::Digest;
use remint::image::{Encoding, Output};
use remint::verify::diff::Verdict;
use serde_json::{Value, json};
use std::fs;
use std::path::Path;

/// Every place of a configuration (image-spec, config.md), with values that say something.
fn fields() -> Vec<(&'static [&'static str], Vec<Value>)> {
    vec![
        (&["config", "ExposedPorts"], vec![json!({"8080/tcp": {}}), json!({"8080/tcp": {}, "53/udp": {}})]),
        (&["config", "ExposedPorts", "8081/tcp"], vec![json!({})]),
        (&["config", "Volumes"], vec![json!({"/data": {}}), json!({"/data": {}, "/srv": {}})]),
        (&["config", "Volumes", "/cache"], vec![json!({})]),
        (
            &["config", "Labels"],
            vec![json!({"x": "1"}), json!({"x": "2"}), json!({"x": ""}), json!({"x": "", "z": ""})],
        ),
        (&["config", "Labels", "y"], vec![json!(""), json!("0"), json!("false"), json!("null")]),
        (&["config", "Env"], vec![json!(["A=1"]), json!(["A="]), json!(["A=1", "B=2"]), json!(["B=2", "A=1"])]),
        (&["config", "Entrypoint"], vec![json!(["/bin/x"]), json!(["/bin/x", ""]), json!([""])]),
        (&["config", "Cmd"], vec![json!(["a"]), json!(["a", "b"]), json!(["b", "a"])]),
        (&["config", "User"], vec![json!("0"), json!("web"), json!("web:web")]),
        (&["config", "WorkingDir"], vec![json!("/"), json!("/srv")]),
        (&["config", "StopSignal"], vec![json!("SIGTERM"), json!("SIGQUIT")]),
        (&["config", "Healthcheck"], vec![json!({"Test": ["NONE"]}), json!({"Test": ["CMD", "x"], "Retries": 3})]),
        (&["config", "Healthcheck", "Interval"], vec![json!(1), json!(30_000_000_000_u64)]),
        (&["history", "0", "created_by"], vec![json!("one"), json!("two")]),
        (&["history", "0", "empty_layer"], vec![json!(true)]),
        (&["created"], vec![json!("2026-01-02T03:04:05Z"), json!("2027-01-02T03:04:05Z")]),
        (&["author"], vec![json!("a"), json!("b")]),
        (&["variant"], vec![json!("v7"), json!("v8")]),
        (&["os.version"], vec![json!("1"), json!("2")]),
    ]
}

/// Sets a value, or takes it away.
fn set(document: &mut Value, path: &[&str], value: Option<Value>) {
    let (last, above) = path.split_last().unwrap();
    let mut place = document;
    for key in above {
        let at = key.parse::<usize>();
        if value.is_none() && place.get(key).is_none() && at.is_err() {
            return;
        }
        place = match at {
            Ok(at) => &mut place[at],
            Err(_) => &mut place[*key],
        };
    }
    match value {
        Some(value) => place[*last] = value,
        None => drop(place.as_object_mut().and_then(|map| map.remove(*last))),
    }
}

/// A document of a layout, by its digest.
fn document(layout: &Path, descriptor: &Value) -> Value {
    let digest: Digest = descriptor["digest"].as_str().unwrap().parse().unwrap();
    serde_json::from_slice(&fs::read(layout.join("blobs/sha256").join(digest.hex())).unwrap()).unwrap()
}

/// Puts a document into a layout, and its digest and size into the descriptor of it.
fn put(layout: &Path, document: &Value, descriptor: &mut Value) {
    let bytes = document.to_string();
    let digest = Digest::of(bytes.as_bytes());
    fs::write(layout.join("blobs/sha256").join(digest.hex()), &bytes).unwrap();
    descriptor["digest"] = json!(digest);
    descriptor["size"] = json!(bytes.len());
}

#[test]
fn every_changed_field_of_a_configuration_is_seen() {
    let dir = tempfile::tempdir().unwrap();
    let store = handmade::store(dir.path());
    let image = handmade::image(&store, "web", Encoding::Zstd, &[native()]);
    let layout = dir.path().join("layout");
    let output: Output = format!("oci:{}", layout.display()).parse().unwrap();
    output.write(&store, std::slice::from_ref(&image)).unwrap();
    let index: Value = serde_json::from_slice(&fs::read(layout.join("index.json")).unwrap()).unwrap();
    let mut entry = index["manifests"][0].clone();
    let mut root = document(&layout, &entry);
    if root["manifests"].is_array() {
        entry = root["manifests"][0].clone();
        root = document(&layout, &entry);
    }
    let config = document(&layout, &root["config"]);
    let name = |entry: &mut Value, name: &str| {
        entry["annotations"] = json!({ "org.opencontainers.image.ref.name": name });
        entry.clone()
    };
    let compare = |a: &Value, b: &Value| {
        let entries = [(a, "a"), (b, "b")].map(|(config, tag)| {
            let (mut manifest, mut entry) = (root.clone(), entry.clone());
            put(&layout, config, &mut manifest["config"]);
            put(&layout, &manifest, &mut entry);
            name(&mut entry, tag)
        });
        fs::write(layout.join("index.json"), json!({ "schemaVersion": 2, "manifests": entries }).to_string()).unwrap();
        compared(dir.path(), "oci:layout:a", "oci:layout:b")
    };
    let fields = fields();
    let mut state = 0x9e37_79b9_0000_0012;
    for round in 0..300 {
        // Some fields have values in both.
        let mut base = config.clone();
        for (path, values) in &fields {
            if random(&mut state, 3) == 0 {
                set(&mut base, path, Some(values[random(&mut state, values.len())].clone()));
            }
        }
        let (path, values) = &fields[round % fields.len()];
        let mut other = base.clone();
        // One value or none in the first, another or none in the second.
        let one = random(&mut state, values.len() + 1);
        let another = (one + 1 + random(&mut state, values.len())) % (values.len() + 1);
        set(&mut base, path, values.get(one).cloned());
        set(&mut other, path, values.get(another).cloned());
        let comparison = if round % 2 == 0 { compare(&base, &other) } else { compare(&other, &base) };
        assert_eq!(comparison.verdict, Verdict::Different, "round {round}, {path:?}: {base} and {other}");
        // What contains the field is named where it is there for the field's sake only.
        let config = &comparison.platforms[0].config;
        let named = config.iter().all(|finding| finding.within.iter().zip(*path).all(|(one, other)| one == other));
        assert!(named && !config.is_empty(), "round {round}, {path:?}: {:#?}", comparison.platforms[0].config);
    }
    // Docker's empty forms say what leaving out says.
    let (mut set_not, mut left_out) = (config.clone(), config.clone());
    for key in ["Volumes", "Labels", "OnBuild", "User", "Domainname", "Tty"] {
        let empty = match key {
            "User" | "Domainname" => json!(""),
            "Tty" => json!(false),
            "Labels" => json!({}),
            _ => Value::Null,
        };
        set(&mut set_not, &["config", key], Some(empty));
        set(&mut left_out, &["config", key], None);
    }
    assert_eq!(compare(&set_not, &left_out).verdict, Verdict::SameFiles);
}
