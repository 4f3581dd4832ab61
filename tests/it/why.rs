//! `remint why` and `remint build --explain`: the very thing that changed, in the words of the recipe and the lock.

use crate::support::project::{LATER, Project, Run, archive, packages};
use serde_json::Value;

/// The reasons of each layer of an image for amd64: whether it was built, and why.
fn told(project: &Project, image: &str) -> Vec<(bool, Vec<String>)> {
    let run = project.run(&["why", image, "--platform", "linux/amd64", "--format", "json"]).expect(0);
    let all: Value = serde_json::from_str(&run.stdout).unwrap();
    assert_eq!((all.as_array().unwrap().len(), &all[0]["image"]), (1, &Value::from(image)), "{all}");
    let words = |list: &Value| list.as_array().unwrap().iter().map(|word| word.as_str().unwrap().to_owned()).collect();
    let layers = all[0]["layers"].as_array().unwrap().iter();
    layers.map(|layer| (layer["built"].as_bool().unwrap(), words(&layer["why"]))).collect()
}

fn built(why: &str) -> (bool, Vec<String>) {
    (true, vec![why.to_owned()])
}

fn reused() -> (bool, Vec<String>) {
    (false, Vec::new())
}

#[test]
fn what_changed_is_named() {
    let project = Project::first();
    project.run(&["why", "site"]).says(1, &["knows of no build of `site`"]);
    let first = project.run(&["build", "--explain"]).expect(0);
    assert!(
        first.stderr.contains("site linux/amd64, layer 3, `copy tree to /srv/site`: built: first build on this store"),
        "{}",
        first.stderr
    );
    assert_eq!(told(&project, "site"), vec![built("first build on this store"); 4]);

    // A build of nothing remembers nothing.
    let record = || std::fs::metadata(project.root.join("cache/history/site@linux-amd64")).unwrap().modified().unwrap();
    let before = record();
    let idle = project.run(&["build", "--explain"]).expect(0);
    assert!(idle.stderr.contains("site linux/amd64, layer 3, `copy tree to /srv/site`: reused\n"), "{}", idle.stderr);
    assert_eq!(record(), before);

    project.write("recipes/site/tree/index.html", "<p>other</p>\n");
    project.write("recipes/site/tree/new", "new\n");
    std::fs::remove_file(project.root.join("recipes/site/tree/a/b/deep")).unwrap();
    let run = project.run(&["build", "--explain"]).expect(0);
    let changed = ["tree/a/b/deep is gone", "tree/index.html changed", "tree/new is new"];
    let line = format!("site linux/amd64, layer 3, `copy tree to /srv/site`: built: {}\n", changed.join("; "));
    assert!(run.stderr.contains(&line), "{}", run.stderr);
    let layers = told(&project, "site");
    assert_eq!(layers[..2], [reused(), reused()]);
    assert_eq!(layers[2], (true, changed.map(str::to_owned).to_vec()));
    assert_eq!(layers[3], built("it lies on a layer that changed"));
    assert_eq!(told(&project, "hello"), [built("first build on this store")], "nothing of it changed");

    let recipe = project.read("recipes/site/recipe.toml");
    project.write(
        "recipes/site/recipe.toml",
        recipe.replace("welcome", "hello").replace("to = \"/srv/site\"", "to = \"/srv/web\""),
    );
    project.run(&["build", "site"]).expect(0);
    let layers = told(&project, "site");
    assert_eq!(layers[2], built("`to` /srv/site → /srv/web"));
    assert_eq!(layers[3], built("/etc/motd changed"));
    let text = project.run(&["why", "site"]).expect(0).stdout;
    assert!(text.starts_with("site linux/amd64\n   1  reused  packages hello\n"), "{text}");
    assert!(text.contains("   4  built   write 3 paths\n              /etc/motd changed\n"), "{text}");
    assert!(text.contains("\n\nsite linux/arm64\n"), "{text}");
}

#[test]
fn images_are_named_as_elsewhere() {
    let project = Project::first();
    project.run(&["why"]).says(1, &["knows of no build", "`remint build` builds"]);
    project.run(&["why", "helo"]).says(2, &["there is no recipe `helo`", "did you mean `hello`?"]);
    project.run(&["build", "hello", "data"]).expect(0);
    let heads = |words: &[&str]| -> Vec<String> {
        let text = project.run(&[&["why"], words].concat()).expect(0).stdout;
        text.lines().filter(|line| line.contains(" linux/")).map(str::to_owned).collect()
    };
    let [data, hello, arm64] = ["data linux/amd64", "hello linux/amd64", "hello linux/arm64"];
    assert_eq!(heads(&[]), [data, hello, arm64]);
    assert_eq!(heads(&["--platform", "linux/amd64"]), [data, hello]);
    assert_eq!(heads(&["cache:hello"]), [hello, arm64]);
    for words in [&["hello@linux/arm64"][..], &["cache:hello@linux/arm64"], &["hello", "--platform", "linux/arm64"]] {
        assert_eq!(heads(words), [arm64], "{words:?}");
    }
    assert_eq!(heads(&["hello", "data", "hello@linux/arm64"]), [hello, arm64, data], "each of them once");

    let elsewhere = ["oci:layout", "oci-archive:x.tar", "docker-archive:x.tar", "tar:x.tar", "registry.example/web:1"];
    for place in elsewhere {
        let words = [place, "is not in the store", "`remint diff A B`"];
        project.run(&["why", place]).says(2, &words);
    }
    for (wrong, words) in [
        ("Hello", "`Hello` is not an image's name"),
        ("hello@linux/vax", "`linux/vax`"),
        ("cache:", "`` is not an image's name"),
        ("hello*", "`hello*` is not an image's name"),
    ] {
        project.run(&["why", wrong]).says(2, &[words]);
    }
    let words = ["`hello@linux/arm64` and `--platform linux/amd64` leave no platform"];
    project.run(&["why", "hello@linux/arm64", "--platform", "linux/amd64"]).says(2, &words);
    let words = ["knows of no build of `data` for linux/arm64", "there is linux/amd64"];
    project.run(&["why", "hello", "data@linux/arm64"]).says(1, &words);
    project.run(&["why", "site"]).says(1, &["knows of no build of `site`", "`remint build site` builds it"]);
    // A store that is named needs no project.
    let mut command = project.command(&["why", "data", "--cache-dir", project.root.join("cache").to_str().unwrap()]);
    Run::of(command.current_dir("/")).says(0, &["data linux/amd64"]);
    // What was built is told without recipes.
    std::fs::remove_dir_all(project.root.join("recipes/data")).unwrap();
    assert_eq!(heads(&["data"]), [data]);
}

#[test]
fn a_package_is_named_with_its_line_of_the_lock() {
    let project = Project::first();
    project.run(&["build"]).expect(0);
    project.publish(&archive(packages("1.0-2"), LATER));
    project.run(&["lock", "--update"]).expect(0);
    project.run(&["build"]).expect(0);
    let lock = project.lock();
    let line = |begins: &str| lock.lines().position(|line| line.trim_start().starts_with(begins)).unwrap() + 1;
    let (first, second) = (line("\"hello 1.0-2 amd64 "), line("\"libhello1 1.0-2 amd64 "));
    let layers = told(&project, "hello");
    assert!(layers[0].0);
    let expected = [
        "`date` 2026-01-01T00:00:00Z → 2026-01-02T00:00:00Z".to_owned(),
        format!("`hello` 1.0-1 → 1.0-2, remint.lock line {first}"),
        format!("`libhello1` 1.0-1 → 1.0-2, remint.lock line {second}"),
    ];
    assert_eq!(layers[0].1, expected);
    let recipe =
        project.read("recipes/hello/recipe.toml").replace("exclude = [\"doc\"]", "exclude = [\"doc\", \"man\"]");
    project.write("recipes/hello/recipe.toml", recipe);
    project.run(&["build", "hello"]).expect(0);
    assert_eq!(told(&project, "hello"), [built("`exclude` doc → doc man")]);
}

#[test]
fn results_that_are_gone_and_other_compressions_are_told() {
    let project = Project::first();
    project.run(&["build", "data"]).expect(0);
    project.run(&["build", "data", "--compression", "gzip"]).expect(0);
    assert_eq!(told(&project, "data"), [built("compressed by gzip now")]);
    // Either is in the store, and the image is another one all the same.
    let ahead = project.run(&["build", "data", "--explain"]).expect(0).stderr;
    let why = "compressed by zstd now: it was in the store already";
    assert!(ahead.contains(&format!(": reused: {why}\n")), "{ahead}");
    assert_eq!(told(&project, "data"), [(false, vec![why.to_owned()])]);
    for entry in std::fs::read_dir(project.root.join("cache/actions")).unwrap() {
        std::fs::remove_file(entry.unwrap().path()).unwrap();
    }
    project.run(&["build", "data"]).expect(0);
    assert_eq!(told(&project, "data"), [built("nothing of it changed: its result was not in the store any more")]);
    // What layers were made of is kept only for the builds that are remembered.
    for version in 0..4 {
        project.write("recipes/site/tree/index.html", format!("{version}\n"));
        project.run(&["build", "site", "--platform", "linux/amd64"]).expect(0);
    }
    let names: Vec<String> = std::fs::read_dir(project.root.join("cache/history"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    // One layer of `data`; two below the tree of `site`, and two versions of the tree and of what lies on it.
    assert_eq!(names.iter().filter(|name| name.starts_with("inputs-")).count(), 1 + 2 + 2 + 2, "{names:?}");
    // Damage is as good as nothing, and heals.
    for name in names {
        std::fs::write(project.root.join("cache/history").join(name), "{").unwrap();
    }
    project.run(&["why", "site"]).says(1, &["knows of no build"]);
    project.write("recipes/site/tree/index.html", "last\n");
    project.run(&["build", "site", "--explain"]).expect(0);
    assert_eq!(told(&project, "site")[2], built("first build on this store"));
    project.forget();
    project.run(&["why", "site"]).says(1, &["knows of no build"]);
}

#[test]
fn a_build_that_changed_only_the_configuration_is_told() {
    let project = Project::first();
    project.run(&["build", "hello"]).expect(0);
    let recipe = project.read("recipes/hello/recipe.toml");
    project.write("recipes/hello/recipe.toml", recipe.replace("C.UTF-8", "C"));
    let ahead = project.run(&["build", "hello", "--explain"]).expect(0).stderr;
    let line = "hello linux/amd64, layer 1, `packages hello`: reused\n\
                hello linux/amd64, configuration: changed: `env.LANG` C.UTF-8 → C\n";
    assert!(ahead.contains(line), "{ahead}");
    assert!(!project.run(&["build", "hello", "--explain"]).expect(0).stderr.contains("configuration"), "it is done");
    let text = project.run(&["why", "hello"]).expect(0).stdout;
    let told = "hello linux/amd64\n   1  reused  packages hello\n   -  changed the configuration, and all layers were reused\n              \
                `env.LANG` C.UTF-8 → C\n";
    assert!(text.starts_with(told), "{text}");
    let json: Value =
        serde_json::from_str(&project.run(&["why", "hello", "--format", "json"]).expect(0).stdout).unwrap();
    assert_eq!(json[0]["configuration"][0], "`env.LANG` C.UTF-8 → C", "{json}");
    project.run(&["build", "hello"]).expect(0);
    assert_eq!(project.run(&["why", "hello"]).expect(0).stdout, text, "a build of nothing is not remembered");

    // A record of before configurations were written down is still read, and completed.
    let path = "cache/history/hello@linux-amd64";
    let mut record: Value = serde_json::from_str(&project.read(path)).unwrap();
    for build in record["builds"].as_array_mut().unwrap() {
        build.as_object_mut().unwrap().remove("config").unwrap();
    }
    project.write(path, record.to_string());
    let run = project.run(&["why", "hello", "--platform", "linux/amd64"]).expect(0);
    assert_eq!(run.stdout, "hello linux/amd64\n   1  reused  packages hello\n");
    project.run(&["build", "hello"]).expect(0);
    project.write("recipes/hello/recipe.toml", &recipe);
    let run = project.run(&["build", "hello", "--explain", "--format", "json"]).expect(0);
    let events = run.stdout.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let told: Vec<Value> = events.filter(|event| event["event"] == "configuration-explained").collect();
    let expected = |platform: &str| {
        serde_json::json!({ "event": "configuration-explained", "image": "hello", "platform": platform,
            "why": ["`env.LANG` C → C.UTF-8"] })
    };
    assert_eq!(told, [expected("linux/amd64"), expected("linux/arm64")]);
    assert!(project.run(&["why", "hello"]).expect(0).stdout.contains("`env.LANG` C → C.UTF-8\n"));
}

#[test]
fn a_layer_that_is_gone_is_told() {
    let project = Project::first();
    project.run(&["build", "both"]).expect(0);
    let recipe = project.read("recipes/both/recipe.toml");
    project.write("recipes/both/recipe.toml", recipe.split("\n\n[[layer]]\n[layer.write]").next().unwrap());
    let ahead = project.run(&["build", "both", "--explain"]).expect(0).stderr;
    assert!(ahead.contains("both linux/amd64, configuration: changed: layer `write /etc/both` is gone\n"), "{ahead}");
    let told =
        "   -  changed the configuration, and all layers were reused\n              layer `write /etc/both` is gone\n";
    let text = project.run(&["why", "both"]).expect(0).stdout;
    assert!(text.ends_with(told), "{text}");
}

#[test]
fn a_layer_that_was_reused_is_not_explained_as_if_it_was_built() {
    let project = Project::first();
    project.run(&["build", "site"]).expect(0);
    let first = project.read("recipes/site/tree/index.html");
    for text in ["other\n", &first] {
        project.write("recipes/site/tree/index.html", text);
        project.run(&["build", "site"]).expect(0);
    }
    // What changed is told all the same.
    let there = |what: &str| (false, vec![what.to_owned(), "it was in the store already".to_owned()]);
    let changed = [reused(), reused(), there("tree/index.html changed"), there("it lies on a layer that changed")];
    assert_eq!(told(&project, "site"), changed);

    project.write("recipes/above/recipe.toml", "from = \"site\"\ncompression = \"gzip\"\n");
    project.run(&["build", "above"]).expect(0);
    project.write("recipes/site/tree/index.html", "more\n");
    project.run(&["build", "site"]).expect(0);
    let ahead = project.run(&["build", "above", "--explain"]).expect(0).stderr;
    let line = "above linux/amd64, layer 3, `copy tree to /srv/site`: reused: tree/index.html changed; it was in the store already\n";
    assert!(ahead.contains(line), "{ahead}");
    assert_eq!(told(&project, "above"), changed);
}
