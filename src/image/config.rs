//! The image configuration: what a recipe sets, over what its base has (OCI image-spec, config.md).
//!
//! A base's configuration is edited as a JSON value and never read into types and written again: what remint does not know of
//! (`Healthcheck`, `Shell`, `OnBuild`, whatever comes) survives.

use super::date::rfc3339;
use super::error::Error;
use crate::digest::DiffId;
use crate::oci::Platform;
use crate::recipe;
use serde_json::{Map, Value, json};

/// `PATH` in an image that has no base and sets none: where Debian's packages and their administrators put programs.
pub const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// One layer of the image, as the configuration tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct History {
    /// The layer's tar.
    pub diff_id: DiffId,
    /// What made it, for people: `remint: packages python3-minimal`. Never the tool's version, which would change the digest.
    pub created_by: String,
}

/// Makes the configuration of an image for one platform.
///
/// Over the base's: `Env` and `Labels` name by name, `ExposedPorts` and `Volumes` added, the rest replaced where set; setting an
/// entrypoint drops the base's `Cmd`, whose words were meant for another program. `created` and the history of the new layers are
/// `epoch`, in seconds since 1970.
pub fn configure(
    base: Option<&Value>,
    platform: Platform,
    recipe: &recipe::Config,
    layers: &[History],
    epoch: u64,
) -> Result<Value, Error> {
    let mut document = match base {
        Some(base) => base.as_object().cloned().ok_or(Error::BaseConfig { key: "", expected: "an object" })?,
        None => Map::new(),
    };
    let created = rfc3339(epoch);
    document.insert("architecture".into(), json!(platform.arch.oci()));
    document.insert("os".into(), json!("linux"));
    document.insert("created".into(), json!(created));
    match platform.arch.variant() {
        Some(variant) => document.insert("variant".into(), json!(variant)),
        None => document.remove("variant"),
    };

    let config = object(&mut document, "config")?;
    env(config, recipe, base.is_none())?;
    run(config, recipe);
    for port in &recipe.exposed_ports {
        let port = if port.contains('/') { port.clone() } else { format!("{port}/tcp") };
        object(config, "ExposedPorts")?.insert(port, json!({}));
    }
    for volume in &recipe.volumes {
        object(config, "Volumes")?.insert(volume.clone(), json!({}));
    }
    for (name, value) in &recipe.labels {
        object(config, "Labels")?.insert(name.clone(), json!(value));
    }

    let rootfs = object(&mut document, "rootfs")?;
    rootfs.insert("type".into(), json!("layers"));
    let diff_ids = array(rootfs, "diff_ids")?;
    let below = diff_ids.len();
    diff_ids.extend(layers.iter().map(|layer| json!(layer.diff_id)));
    history(array(&mut document, "history")?, below, layers, &created);
    Ok(Value::Object(document))
}

/// What runs, as whom and where.
fn run(config: &mut Map<String, Value>, recipe: &recipe::Config) {
    let texts = [("User", &recipe.user), ("WorkingDir", &recipe.working_dir), ("StopSignal", &recipe.stop_signal)];
    for (key, value) in texts {
        if let Some(value) = value {
            config.insert(key.into(), json!(value));
        }
    }
    if let Some(entrypoint) = &recipe.entrypoint {
        config.insert("Entrypoint".into(), json!(entrypoint));
        config.remove("Cmd");
    }
    if let Some(cmd) = &recipe.cmd {
        config.insert("Cmd".into(), json!(cmd));
    }
}

/// Sets variables in the base's order, new ones after it by name.
fn env(config: &mut Map<String, Value>, recipe: &recipe::Config, with_path: bool) -> Result<(), Error> {
    let mut wanted = recipe.env.clone();
    if with_path {
        wanted.entry("PATH".to_owned()).or_insert_with(|| DEFAULT_PATH.to_owned());
    }
    if wanted.is_empty() {
        return Ok(());
    }
    let env = array(config, "Env")?;
    for line in env.iter_mut() {
        let name = line.as_str().map(|line| line.split_once('=').map_or(line, |(name, _)| name));
        if let Some((name, value)) = name.and_then(|name| wanted.remove_entry(name)) {
            *line = json!(format!("{name}={value}"));
        }
    }
    env.extend(wanted.iter().map(|(name, value)| json!(format!("{name}={value}"))));
    Ok(())
}

/// Adds an entry a layer. Readers pair entries that are not `empty_layer` with layers, so a base that tells of fewer than its
/// `below` layers is filled up first.
fn history(history: &mut Vec<Value>, below: usize, layers: &[History], created: &str) {
    let told = history.iter().filter(|entry| entry.get("empty_layer") != Some(&Value::Bool(true))).count();
    for _ in told..below {
        history.push(json!({ "created": created }));
    }
    for layer in layers {
        history.push(json!({ "created": created, "created_by": layer.created_by }));
    }
}

/// The object below a key, made where there is none; Docker writes `null` for empty ones.
fn object<'a>(parent: &'a mut Map<String, Value>, key: &'static str) -> Result<&'a mut Map<String, Value>, Error> {
    let value = parent.entry(key).or_insert(Value::Null);
    if value.is_null() {
        *value = json!({});
    }
    value.as_object_mut().ok_or(Error::BaseConfig { key, expected: "an object" })
}

/// The array below a key, made where there is none.
fn array<'a>(parent: &'a mut Map<String, Value>, key: &'static str) -> Result<&'a mut Vec<Value>, Error> {
    let value = parent.entry(key).or_insert(Value::Null);
    if value.is_null() {
        *value = json!([]);
    }
    value.as_array_mut().ok_or(Error::BaseConfig { key, expected: "an array" })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::digest::Digest;
    use crate::oci::{Arch, canonical_json};

    const AMD64: Platform = Platform { arch: Arch::Amd64 };

    fn layer(text: &str) -> History {
        History { diff_id: DiffId(Digest::of(text.as_bytes())), created_by: text.to_owned() }
    }

    /// Golden bytes: a config's digest is the image's identity, so these never change.
    #[test]
    fn the_bytes_are_pinned() {
        let config = recipe::Config {
            user: Some("app".into()),
            exposed_ports: vec!["53/udp".into(), "8080".into()],
            env: [("LANG".to_owned(), "C.UTF-8".to_owned())].into(),
            entrypoint: Some(vec!["/bin/app".into()]),
            cmd: Some(vec!["--serve".into()]),
            volumes: vec!["/data".into()],
            working_dir: Some("/srv".into()),
            labels: [("a".to_owned(), "b".to_owned())].into(),
            stop_signal: Some("SIGQUIT".into()),
        };
        let arm64 = Platform { arch: Arch::Arm64 };
        let value = configure(None, arm64, &config, &[layer("remint: copy app")], 1_754_734_272).unwrap();
        let expected = concat!(
            r#"{"architecture":"arm64","config":{"Cmd":["--serve"],"Entrypoint":["/bin/app"],"#,
            r#""Env":["LANG=C.UTF-8","PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"],"#,
            r#""ExposedPorts":{"53/udp":{},"8080/tcp":{}},"Labels":{"a":"b"},"StopSignal":"SIGQUIT","User":"app","#,
            r#""Volumes":{"/data":{}},"WorkingDir":"/srv"},"created":"2025-08-09T10:11:12Z","#,
            r#""history":[{"created":"2025-08-09T10:11:12Z","created_by":"remint: copy app"}],"os":"linux","#,
            r#""rootfs":{"diff_ids":["sha256:54a9fc0d468312e960dda0e384f361e27802ae598021fd8dd26a5bc6092a75e4"],"#,
            r#""type":"layers"},"variant":"v8"}"#,
        );
        assert_eq!(String::from_utf8(canonical_json(&value)).unwrap(), expected);
    }

    #[test]
    fn a_base_is_edited_and_what_is_unknown_survives() {
        let base = json!({
            "architecture": "amd64", "os": "linux", "author": "someone", "created": "2001-01-01T00:00:00Z",
            "config": {
                "Env": ["PATH=/bin", "A=1", "B=2=3"], "Cmd": ["sh"], "Labels": { "x": "1", "y": "2" },
                "Healthcheck": { "Test": ["CMD", "true"], "Interval": 30_000_000_000_u64 },
                "Volumes": { "/old": {} }, "User": "base", "OnBuild": null, "ExposedPorts": null,
            },
            "rootfs": { "type": "layers", "diff_ids": [layer("base").diff_id] },
            "history": [{ "created_by": "base" }, { "created_by": "ENV", "empty_layer": true }],
        });
        let config = recipe::Config {
            env: [("A", "one"), ("Z", "26")].map(|(k, v)| (k.to_owned(), v.to_owned())).into(),
            entrypoint: Some(vec!["/app".into()]),
            labels: [("y".to_owned(), "two".to_owned())].into(),
            volumes: vec!["/new".into()],
            exposed_ports: vec!["80".into()],
            ..recipe::Config::default()
        };
        let value = configure(Some(&base), AMD64, &config, &[layer("new")], 0).unwrap();
        assert_eq!(value["author"], "someone");
        assert_eq!(value["created"], "1970-01-01T00:00:00Z");
        assert_eq!(
            value["config"],
            json!({
                "Env": ["PATH=/bin", "A=one", "B=2=3", "Z=26"], "Entrypoint": ["/app"],
                "Labels": { "x": "1", "y": "two" }, "Healthcheck": base["config"]["Healthcheck"],
                "Volumes": { "/old": {}, "/new": {} }, "User": "base", "OnBuild": null, "ExposedPorts": { "80/tcp": {} },
            })
        );
        assert_eq!(value["rootfs"]["diff_ids"], json!([layer("base").diff_id, layer("new").diff_id]));
        assert_eq!(value["history"].as_array().unwrap().len(), 3);
    }

    #[test]
    fn an_entrypoint_of_ones_own_drops_the_bases_words_only_without_new_ones() {
        let base = json!({ "config": { "Entrypoint": ["/old"], "Cmd": ["x"] } });
        let same = configure(Some(&base), AMD64, &recipe::Config::default(), &[], 0).unwrap();
        assert_eq!(same["config"], base["config"]);
        let cmd = recipe::Config { cmd: Some(vec!["y".into()]), ..recipe::Config::default() };
        let value = configure(Some(&base), AMD64, &cmd, &[], 0).unwrap();
        assert_eq!(value["config"], json!({ "Entrypoint": ["/old"], "Cmd": ["y"] }));
    }

    #[test]
    fn a_silent_base_history_is_filled_up() {
        let base = json!({ "rootfs": { "diff_ids": [layer("1").diff_id, layer("2").diff_id] } });
        let value = configure(Some(&base), AMD64, &recipe::Config::default(), &[layer("3")], 0).unwrap();
        assert_eq!(value["history"].as_array().unwrap().len(), 3);
    }

    #[test]
    fn a_base_of_other_shapes_is_refused() {
        for base in
            [json!([]), json!({ "config": 1 }), json!({ "rootfs": { "diff_ids": {} } }), json!({ "history": "" })]
        {
            assert!(configure(Some(&base), AMD64, &recipe::Config::default(), &[], 0).is_err(), "{base}");
        }
    }
}
