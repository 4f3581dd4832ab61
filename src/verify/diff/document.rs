//! Manifests, configurations and JSON files, field by field.

use super::class::Class;
use super::content;
use super::model::{Field, Finding};
use super::sums::{Key, Sums};
use serde::Serialize;
use serde_json::Value;

/// How many differing values of one document are told.
pub(super) const MOST: usize = 200;

/// Leaves as many findings of a document as are told, and says so of the last.
pub(super) fn bounded(mut findings: Vec<Finding>) -> Vec<Finding> {
    let left_out = findings.len().saturating_sub(MOST);
    findings.truncate(MOST);
    if let Some(last) = findings.last_mut().filter(|_| left_out > 0) {
        last.also("more values differ, which are left out");
    }
    findings
}

/// A value that differs: where, and what both sides have.
pub(super) struct Differing<'a> {
    pub(super) path: Vec<String>,
    pub(super) a: Option<&'a Value>,
    pub(super) b: Option<&'a Value>,
}

/// Finds the innermost values that differ, but for those to be skipped; at most a bounded number.
pub(super) fn differing<'a>(a: &'a Value, b: &'a Value, skip: impl Fn(&Differing<'_>) -> bool) -> Vec<Differing<'a>> {
    let mut found = Vec::new();
    walk((Some(a), Some(b)), &mut Vec::new(), &skip, &mut found);
    found
}

fn walk<'a>(
    (a, b): (Option<&'a Value>, Option<&'a Value>),
    path: &mut Vec<String>,
    skip: &dyn Fn(&Differing<'_>) -> bool,
    found: &mut Vec<Differing<'a>>,
) {
    if found.len() == MOST || a == b {
        return;
    }
    match (a, b) {
        (Some(Value::Object(left)), Some(Value::Object(right))) => {
            // Both have their keys sorted.
            let (mut keys_a, mut keys_b) = (left.keys().peekable(), right.keys().peekable());
            while let Some(key) = keys_a.peek().copied().into_iter().chain(keys_b.peek().copied()).min() {
                path.push(content::named(key));
                walk((left.get(key), right.get(key)), path, skip, found);
                path.pop();
                keys_a.next_if_eq(&key);
                keys_b.next_if_eq(&key);
            }
        }
        (Some(Value::Array(left)), Some(Value::Array(right)))
            if left.len() == right.len() && !reordered(left, right) =>
        {
            for (at, (left, right)) in left.iter().zip(right).enumerate() {
                path.push(at.to_string());
                walk((Some(left), Some(right)), path, skip, found);
                path.pop();
            }
        }
        _ => {
            let differing = Differing { path: path.clone(), a, b };
            // What is skipped takes no place of what is told.
            if !skip(&differing) {
                found.push(differing);
            }
        }
    }
}

/// Whether two lists have the same elements in another order.
fn reordered(a: &[Value], b: &[Value]) -> bool {
    let sums = || {
        let mut key = Key::default();
        (a, b).serialize(&mut serde_json::Serializer::new(&mut key)).ok()?;
        Some(key.done())
    };
    let same = |sums: Sums| sums.same(a.iter().map(Value::to_string), b.iter().map(Value::to_string));
    a.len() == b.len() && a != b && sums().is_some_and(same)
}

impl Differing<'_> {
    /// What of an image's documents it is, where that says why it differs.
    fn named(&self) -> Option<Class> {
        let path: Vec<&str> = self.path.iter().map(String::as_str).collect();
        match path[..] {
            ["mediaType" | "artifactType"] | ["config" | "subject", "mediaType" | "artifactType"] => {
                Some(Class::MediaType)
            }
            // Which other manifest it is about, and not what somebody rolled.
            ["subject", "digest" | "size"] => Some(Class::Configuration),
            // What is no platform at all is not one to build for.
            ["platform"] if [self.a, self.b].into_iter().flatten().any(|said| !said.is_object()) => {
                Some(Class::Configuration)
            }
            ["platform" | "os" | "architecture" | "variant" | "os.version" | "os.features", ..] => {
                Some(Class::Platform)
            }
            _ => None,
        }
    }

    /// Why it differs, as far as the values show it.
    pub(super) fn class(&self) -> Option<Class> {
        match (self.a, self.b) {
            (Some(Value::Array(a)), Some(Value::Array(b))) if reordered(a, b) => Some(Class::Order),
            (Some(a), Some(b)) => {
                // The nearest name says what an element of a list is.
                let named = self.path.iter().rev().find(|part| !part.bytes().all(|byte| byte.is_ascii_digit()));
                let key = named.map_or("", |key| key.as_str());
                content::words(&format!("{key}={}", text(Some(a))), &format!("{key}={}", text(Some(b))))
            }
            _ => None,
        }
    }
}

/// A value in a line.
pub(super) fn text(value: Option<&Value>) -> String {
    let text = match value {
        None => return "nothing".to_owned(),
        Some(Value::String(text)) => text.clone(),
        Some(value) => value.to_string(),
    };
    content::shortened(&text)
}

/// Compares two configurations; layers are compared elsewhere. `layers_alike` is whether both have as many, so that their history
/// can be compared.
pub(super) fn configs(a: &Value, b: &Value, layers_alike: bool) -> Vec<Finding> {
    let skip = |differing: &Differing<'_>| match differing.path[..].first().map_or("", |key| key.as_str()) {
        // Of what the DiffIds are, the layers tell.
        "rootfs" => differing.path.get(1).is_some_and(|key| key == "diff_ids"),
        "history" => !layers_alike,
        // What only Docker writes down about its build, and loses when an image passes through another tool.
        "container"
        | "container_config"
        | "docker_version"
        | "id"
        | "parent"
        | "throwaway"
        | "moby.buildkit.cache.v0"
        | "moby.buildkit.buildinfo.v1" => differing.a.is_none() || differing.b.is_none(),
        _ => false,
    };
    values(a, b, skip)
}

/// Compares the values of two documents.
pub(super) fn values(a: &Value, b: &Value, skip: impl Fn(&Differing<'_>) -> bool) -> Vec<Finding> {
    // Docker writes empty values for what is not set; OCI leaves them out.
    let unset = |one: &Differing<'_>| unset(&one.path, one.a) && unset(&one.path, one.b);
    let all = differing(a, b, |one| skip(one) || unset(one));
    all.into_iter()
        .map(|differing| {
            let class = differing.named().or_else(|| differing.class()).unwrap_or(Class::Configuration);
            let finding = Finding::new(Field::Value, class).values(text(differing.a), text(differing.b));
            Finding { within: differing.path, ..finding }
        })
        .collect()
}

/// Whether a value of a document says as much as none.
///
/// That goes for the fields that image-spec's config.md names, in Docker's empty form (`""`, `[]`, `{}`, `0`, `false`, `null`). What
/// users name themselves (ports, volumes, labels, annotations) is there as soon as its key is: `{"8081/tcp": {}}` opens a port.
fn unset(path: &[String], value: Option<&Value>) -> bool {
    let Some(value) = value else { return true };
    let path: Vec<&str> = path.iter().map(String::as_str).collect();
    let structs = matches!(path[..], ["config" | "container_config"] | ["config", "Healthcheck"]);
    let field = structs
        || matches!(
            path[..],
            [_] | ["config" | "container_config", _] | ["config", "Healthcheck", _] | ["history", _, _]
        );
    match value {
        _ if !field => false,
        Value::Null => true,
        Value::Bool(value) => !value,
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(map) if structs => map.iter().all(|(key, value)| {
            let below: Vec<String> = path.iter().copied().chain([key.as_str()]).map(str::to_owned).collect();
            unset(&below, Some(value))
        }),
        Value::Object(map) => map.is_empty(),
        Value::Number(number) => number.as_u64() == Some(0),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn fields_are_named_with_their_causes() {
        let a = json!({"created": "2026-01-01T00:00:00Z", "architecture": "amd64", "config": {"Env": ["A=1", "B=2"], "Hostname": "3f2a", "User": ""},
            "docker_version": "20", "rootfs": {"diff_ids": [1]}});
        let b = json!({"created": "2027-01-01T00:00:00Z", "architecture": "arm64", "config": {"Env": ["B=2", "A=1"], "Hostname": "77aa"},
            "rootfs": {"diff_ids": [2]}});
        let found: Vec<(String, Class)> =
            configs(&a, &b, true).into_iter().map(|finding| (finding.within.join("."), finding.class)).collect();
        let expected = [
            ("architecture".to_owned(), Class::Platform),
            ("config.Env".to_owned(), Class::Order),
            ("config.Hostname".to_owned(), Class::HostName),
            ("created".to_owned(), Class::Timestamp),
        ];
        assert_eq!(found, expected);
    }
    #[test]
    fn what_documents_say_of_themselves_is_no_chance() {
        let class =
            |a: Value, b: Value| -> Vec<Class> { values(&a, &b, |_| false).iter().map(|one| one.class).collect() };
        let digest =
            |letter: &str| json!({ "subject": { "digest": format!("sha256:{}", letter.repeat(64)), "size": 7 } });
        assert_eq!(class(digest("a"), digest("b")), [Class::Configuration]);
        assert_eq!(class(json!({ "artifactType": "x" }), json!({ "artifactType": "y" })), [Class::MediaType]);
        assert_eq!(class(json!({ "platform": "linux" }), json!({ "platform": "x" })), [Class::Configuration]);
        assert_eq!(class(json!({ "platform": { "os": "linux" } }), json!({})), [Class::Platform]);
    }

    #[test]
    fn what_is_not_set_is_no_value_and_an_empty_entry_is_one() {
        let found = |a: Value, b: Value| configs(&a, &b, true).len();
        for same in [
            json!({"config": {"Volumes": null, "Labels": {}, "User": "", "Tty": false, "Cmd": [], "Healthcheck": {}}}),
            json!({"config": {"Healthcheck": {"Interval": 0, "Test": null}, "WorkingDir": ""}, "author": ""}),
            json!({"config": null}),
        ] {
            assert_eq!(found(same.clone(), json!({})), 0, "{same}");
            assert_eq!(found(json!({"config": {}}), same.clone()), 0, "{same}");
        }
        for other in [
            json!({"config": {"ExposedPorts": {"8081/tcp": {}}}}),
            json!({"config": {"Volumes": {"/data": {}}}}),
            json!({"config": {"Labels": {"y": ""}}}),
            json!({"config": {"Env": [""]}}),
            json!({"config": {"Healthcheck": {"Test": ["NONE"]}}}),
        ] {
            assert_eq!(found(other.clone(), json!({})), 1, "{other}");
            assert_eq!(found(json!({"config": {}}), other.clone()), 1, "{other}");
            let key = other["config"].as_object().unwrap().keys().next().unwrap();
            assert_eq!(found(json!({"config": { key: {} }}), other.clone()), 1, "{other}");
        }
        let annotated = json!({"annotations": {"a": ""}});
        assert_eq!(values(&annotated, &json!({"annotations": {}}), |_| false).len(), 1);
        assert_eq!(values(&json!({"annotations": {}}), &json!({}), |_| false).len(), 0);
    }

    #[test]
    fn what_is_skipped_hides_nothing() {
        let steps = |text: &str| -> Vec<Value> {
            (0..2 * MOST).map(|at| json!({"created_by": format!("{text}{at}")})).collect()
        };
        let a = json!({"history": steps("a"), "variant": "v7"});
        let b = json!({"history": steps("b"), "variant": "v8"});
        assert_eq!(configs(&a, &b, false).len(), 1);
    }
}
