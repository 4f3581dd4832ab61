//! One Dockerfile, built twice by each of the usual builders, with and without `SOURCE_DATE_EPOCH`: what differs is named, and why.

use super::{compared, remint};
use crate::support::docker_engine::DockerEngine;
use crate::support::judge;
use crate::support::podman::Podman;
use remint::verify::diff::{Class, Comparison, Field, Finding, Verdict};
use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::{sleep, spawn};
use std::time::Duration;

/// What most Dockerfiles do in some way: write down when they ran, and leave a log.
const DOCKERFILE: &str = "\
FROM base
ARG SOURCE_DATE_EPOCH
RUN if [ -n \"$SOURCE_DATE_EPOCH\" ]; then date -u -d \"@$SOURCE_DATE_EPOCH\" > /etc/built; \\
    else date -u > /etc/built; date > /var/log/build.log; fi
";

/// Only a shell and what it needs, from remint itself: no builder needs a network.
const BASE: &str = "\
[[layer]]
copy = \"root\"
to = \"/\"

[[layer]]
[layer.write]
\"/bin/sh\" = { link = \"busybox\" }
\"/bin/date\" = { link = \"busybox\" }
\"/etc/motd\" = \"welcome\\n\"
\"/var/log\" = { directory = true }

[config.env]
PATH = \"/bin\"
";

const EPOCH: &str = "1700000000";

/// Some machines' hard limits are below the builders' defaults.
const LIMITS: [&str; 4] = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096"];

/// Where the Dockerfile and the archive of the base are; `None` without a static shell.
fn prepared(dir: &Path) -> Option<()> {
    let shell = judge::find("busybox")?;
    let recipe = dir.join("project/recipes/base");
    fs::create_dir_all(recipe.join("root/bin")).unwrap();
    fs::create_dir(dir.join("context")).unwrap();
    fs::copy(shell, recipe.join("root/bin/busybox")).unwrap();
    fs::write(recipe.join("recipe.toml"), BASE).unwrap();
    fs::write(dir.join("context/Dockerfile"), DOCKERFILE).unwrap();
    let words = ["-C", "project", "build", "base", "--compression", "gzip", "-o", "docker-archive:base.tar"];
    let (code, _, said) = remint(dir, &words);
    assert_eq!(code, Some(0), "{said}");
    Some(())
}

/// Builds an image and writes it as an archive; the last argument is whether for an epoch.
type Build = Box<dyn Fn(&Path, bool) + Send>;

/// Builds both ways, and both again a moment later, and compares: without an epoch, and with one.
fn built_twice(dir: &Path, name: &str, build: &Build) -> [Comparison; 2] {
    let file = |round: u8, epoch: bool| format!("{name}-{round}-{epoch}.tar");
    for round in 0..2 {
        for epoch in [false, true] {
            build(&dir.join(file(round, epoch)), epoch);
        }
        // Times of archives are whole seconds.
        sleep(Duration::from_millis(1100));
    }
    [false, true].map(|epoch| {
        let archive = |round| format!("docker-archive:{}", file(round, epoch));
        compared(dir, &archive(0), &archive(1))
    })
}

fn context(dir: &Path) -> String {
    dir.join("context").display().to_string()
}

/// The options of a build that says the epoch, in the way of most builders, and in that of buildah and podman as well.
fn epoch_options(epoch: bool, timestamp: bool) -> Vec<String> {
    let mut options = Vec::new();
    if epoch {
        options.extend(["--build-arg".to_owned(), format!("SOURCE_DATE_EPOCH={EPOCH}")]);
        options.extend(timestamp.then(|| format!("--timestamp={EPOCH}")));
    }
    options
}

#[test]
fn what_differs_between_two_builds_of_a_dockerfile_is_named() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    if !judge::is_root() || prepared(dir).is_none() {
        return;
    }
    let mut running = Vec::new();
    let mut start = |name: &'static str, stamped: bool, build: Build| {
        let dir = dir.to_owned();
        running.push((name, stamped, spawn(move || built_twice(&dir, name, &build))));
    };
    if let Some(build) = buildah(dir) {
        start("buildah", true, build);
    }
    if let Some(build) = podman(dir) {
        start("podman", true, build);
    }
    let engine = DockerEngine::start(&dir.join("engine")).map(std::sync::Arc::new);
    if let Some(engine) = &engine {
        engine.docker(&["load", "--input", &dir.join("base.tar").display().to_string()]);
        for (name, buildkit) in [("docker", "0"), ("buildkit", "1")] {
            start(name, false, docker(std::sync::Arc::clone(engine), dir, name, buildkit));
        }
    }
    for (name, stamped, thread) in running {
        let [plain, epoch] = thread.join().unwrap_or_else(|_| panic!("{name} failed"));
        without_an_epoch(name, &plain);
        with_an_epoch(name, &epoch, stamped);
    }
}

fn buildah(dir: &Path) -> Option<Build> {
    let program = judge::find("buildah")?;
    let (context, root) = (context(dir), dir.join("buildah"));
    let run = move |arguments: &[String]| {
        let mut command = Command::new(&program);
        command.arg("--root").arg(root.join("root")).arg("--runroot").arg(root.join("run"));
        judge::succeed(command.args(["--storage-driver", "vfs"]).args(arguments));
    };
    let words = |words: &[&str]| words.iter().map(ToString::to_string).collect::<Vec<_>>();
    run(&words(&["pull", &format!("docker-archive:{}", dir.join("base.tar").display())]));
    Some(Box::new(move |archive, epoch| {
        let mut all = words(&["build", "--isolation", "chroot", "--no-cache", "--pull-never", "--tag", "built"]);
        all.extend(epoch_options(epoch, true));
        all.push(context.clone());
        run(&all);
        run(&words(&["push", "built", &format!("docker-archive:{}:built", archive.display())]));
    }))
}

fn podman(dir: &Path) -> Option<Build> {
    let podman = Podman::find(&dir.join("podman"))?;
    let context = context(dir);
    podman.run(&["load", "--quiet", "--input", &dir.join("base.tar").display().to_string()]);
    Some(Box::new(move |archive, epoch| {
        let mut command =
            podman.command(&["build", "--no-cache", "--pull=never", "--network", "none", "--tag", "built"]);
        judge::succeed(command.args(LIMITS).args(epoch_options(epoch, true)).arg(&context));
        podman.run(&["save", "--quiet", "--output", &archive.display().to_string(), "built"]);
    }))
}

fn docker(engine: std::sync::Arc<DockerEngine>, dir: &Path, name: &'static str, buildkit: &'static str) -> Build {
    let context = context(dir);
    Box::new(move |archive, epoch| {
        let mut command = engine.command(&["build", "--no-cache", "--network", "none", "--tag", name]);
        judge::succeed(command.env("DOCKER_BUILDKIT", buildkit).args(epoch_options(epoch, false)).arg(&context));
        engine.docker(&["save", "--output", &archive.display().to_string(), name]);
    })
}

/// The date, the log, and the times of both and of what is around them.
fn without_an_epoch(name: &str, comparison: &Comparison) {
    assert_eq!(comparison.verdict, Verdict::Different, "{name}");
    let platform = &comparison.platforms[0];
    let created = platform.config.iter().find(|finding| finding.within == ["created"]).map(|finding| finding.class);
    assert_eq!(created, Some(Class::Timestamp), "{name}: {:#?}", platform.config);
    let first = |path: &str| {
        let file = platform.files.iter().find(|file| file.path == path);
        file.map(|file| (file.findings[0].field, file.findings[0].class))
    };
    assert_eq!(first("/etc/built"), Some((Field::Content, Class::Timestamp)), "{name}: {:#?}", platform.files);
    assert_eq!(first("/var/log/build.log"), Some((Field::Content, Class::LogOrCache)), "{name}");
    let built = platform.files.iter().find(|file| file.path == "/etc/built").unwrap();
    let layer = platform.layers.iter().filter_map(|pair| pair.b.as_ref()).find(|b| Some(b.number) == built.layer_b);
    let step = layer.and_then(|layer| layer.created_by.clone()).unwrap_or_default();
    assert!(step.contains("date -u"), "{name}: `{step}`");
    let others = platform.files.iter().filter(|file| !["/etc/built", "/var/log/build.log"].contains(&&*file.path));
    for file in others {
        assert!(file.findings.iter().all(only_time), "{name}: {file:#?}");
    }
}

/// Nothing where the builder sets times to the epoch; else the times that it set itself.
fn with_an_epoch(name: &str, comparison: &Comparison, stamped: bool) {
    let platform = &comparison.platforms[0];
    if stamped {
        assert_ne!(comparison.verdict, Verdict::Different, "{name}: {comparison:#?}");
        return;
    }
    assert!(platform.files.iter().flat_map(|file| &file.findings).all(only_time), "{name}: {:#?}", platform.files);
    // Besides its date: the names that the builder before BuildKit gives its steps and their containers, by chance and by digest.
    let own = [Class::Timestamp, Class::RandomId, Class::Checksum, Class::HostName];
    assert!(platform.config.iter().all(|finding| own.contains(&finding.class)), "{name}: {:#?}", platform.config);
}

fn only_time(finding: &Finding) -> bool {
    finding.class == Class::Mtime
}
