//! A private apt: its own sources, lists, cache and status, so that nothing of the host's packages is seen or touched.

use crate::support::judge;
use remint::digest::Digest;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// One root for one release and architecture, with fresh lists.
pub(super) struct AptRoot {
    dir: PathBuf,
    release: String,
    arch: String,
    /// Digest of everything that apt's answer depends on besides the question.
    lists: Digest,
}

/// A line `Inst name (version …)` of a simulation.
pub(super) struct Inst {
    pub(super) name: String,
    pub(super) version: String,
}

impl AptRoot {
    /// Makes a root and fetches the lists; prints why and returns nothing where there is no apt or no mirror.
    pub(super) fn open(release: &str, arch: &str) -> Option<Self> {
        match Self::make(release, arch) {
            Ok(root) => Some(root),
            Err(why) => {
                judge::missing(&format!("{release} {arch}: {why}"));
                None
            }
        }
    }

    fn make(release: &str, arch: &str) -> Result<Self, String> {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("apt-{release}-{arch}"));
        Self::prepare(&dir, arch, &sources(release)?)?;
        let mut root = Self { dir, release: release.to_owned(), arch: arch.to_owned(), lists: Digest::of(b"") };
        let update = root.run(&root.dir.join("apt.conf"), &["update"])?;
        let talk = String::from_utf8_lossy(&update.stderr).into_owned();
        if !update.status.success() || talk.contains("Failed to fetch") {
            return Err(format!("apt-get update failed: {talk}"));
        }
        let mut state = version()?.into_bytes();
        for (_, path) in root.indices() {
            state.extend(fs::read(&path).map_err(|e| format!("{}: {e}", path.display()))?);
        }
        root.lists = Digest::of(&state);
        Ok(root)
    }

    fn prepare(dir: &Path, arch: &str, sources: &str) -> Result<(), String> {
        for sub in [
            "etc/parts",
            "etc/sources.list.d",
            "etc/preferences.d",
            "state/lists/partial",
            "cache/archives/partial",
            "answers",
        ] {
            fs::create_dir_all(dir.join(sub)).map_err(|e| e.to_string())?;
        }
        let write = |name: &str, text: &str| fs::write(dir.join(name), text).map_err(|e| e.to_string());
        write("etc/sources.list.d/debian.sources", sources)?;
        write("empty", "")?;
        let d = dir.display();
        let config = format!(
            "Dir::State \"{d}/state\";\nDir::Etc \"{d}/etc\";\nDir::Etc::parts \"{d}/etc/parts\";\nDir::Cache \"{d}/cache\";\n\
             Dir::State::status \"{d}/empty\";\nAPT::Architecture \"{arch}\";\nAPT::Architectures {{ \"{arch}\"; }};\n\
             Acquire::Languages \"none\";\nAcquire::GzipIndexes \"false\";\nDebug::NoLocking \"true\";\nAPT::Sandbox::User \"\";\n"
        );
        write("apt.conf", &config)
    }

    /// A root for archives that are only indices: a directory of its own, which nobody signs.
    pub(super) fn local() -> Result<Self, String> {
        let dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join("apt-local");
        Self::prepare(
            &dir,
            "amd64",
            &format!("Types: deb\nURIs: file:{}/archive\nSuites: ./\nTrusted: yes\n", dir.display()),
        )?;
        fs::create_dir_all(dir.join("archive")).map_err(|e| e.to_string())?;
        version()?;
        Ok(Self { dir, release: String::new(), arch: "amd64".to_owned(), lists: Digest::of(b"") })
    }

    /// The root with another index in the place of the last one.
    pub(super) fn with_index(&self, text: &str) -> Result<Self, String> {
        let lists = Digest::of(format!("{}{text}", version()?).as_bytes());
        let index = self.dir.join("archive/Packages");
        fs::write(&index, text).map_err(|e| e.to_string())?;
        for old in fs::read_dir(self.dir.join("state/lists")).map_err(|e| e.to_string())?.flatten() {
            let _ = fs::remove_file(old.path());
        }
        let update = self.run(&self.dir.join("apt.conf"), &["update"])?;
        if !update.status.success() {
            return Err(format!("apt-get update failed: {}", String::from_utf8_lossy(&update.stderr)));
        }
        Ok(Self { dir: self.dir.clone(), release: String::new(), arch: self.arch.clone(), lists })
    }

    /// The suites and their verified, unpacked indices, in the order of the sources.
    pub(super) fn indices(&self) -> Vec<(String, PathBuf)> {
        let lists = self.dir.join("state/lists");
        let files: Vec<PathBuf> = fs::read_dir(&lists).unwrap().map(|entry| entry.unwrap().path()).collect();
        let find = |suite: String| {
            let end = format!("_dists_{suite}_main_binary-{}_Packages", self.arch);
            let path = files.iter().find(|path| path.to_string_lossy().ends_with(&end));
            path.map(|path| (suite, path.clone()))
        };
        suites(&self.release).into_iter().filter_map(find).collect()
    }

    /// What apt would install, or what it says when it cannot.
    pub(super) fn install(&self, packages: &[String], status: &str) -> Result<Vec<Inst>, String> {
        let answer = self.ask(packages, status)?;
        let (verdict, text) = answer.split_once('\n').unwrap_or_default();
        if verdict != "0" {
            return Err(text.to_owned());
        }
        let inst = |line: &str| {
            let (name, rest) = line.strip_prefix("Inst ")?.split_once(' ')?;
            // `Inst name [old] (new suite [arch])`
            let (_, rest) = rest.split_once('(')?;
            let name = name.split(':').next()?.to_owned();
            Some(Inst { name, version: rest.split_whitespace().next()?.to_owned() })
        };
        let found: Vec<Inst> = text.lines().filter_map(inst).collect();
        // dpkg is sometimes told to remove what it upgrades later; only what does not come back is removed.
        let removed = text.lines().filter_map(|line| line.strip_prefix("Remv ")?.split(' ').next());
        match removed.into_iter().find(|name| !found.iter().any(|inst| inst.name == *name)) {
            Some(name) => Err(format!("it removes {name}")),
            None => Ok(found),
        }
    }

    /// apt is slow, and its answer to the same question over the same lists is the same: it is asked once.
    fn ask(&self, packages: &[String], status: &str) -> Result<String, String> {
        let question = format!("{:?}\n{}\n{status}", self.lists, packages.join(" "));
        let kept = self.dir.join("answers").join(Digest::of(question.as_bytes()).hex());
        if let Ok(answer) = fs::read_to_string(&kept) {
            return Ok(answer);
        }
        let mut config = fs::read_to_string(self.dir.join("apt.conf")).map_err(|e| e.to_string())?;
        let own = tempfile::tempdir().map_err(|e| e.to_string())?;
        let file = own.path().join("status");
        fs::write(&file, status).map_err(|e| e.to_string())?;
        config = config.replace(&format!("{}/empty", self.dir.display()), &file.display().to_string());
        let conf = own.path().join("apt.conf");
        fs::write(&conf, config).map_err(|e| e.to_string())?;
        let mut arguments = vec!["-s", "-q", "--no-install-recommends", "install"];
        arguments.extend(packages.iter().map(String::as_str));
        let output = self.run(&conf, &arguments)?;
        let code = output.status.code().unwrap_or(-1);
        let text = if code == 0 { output.stdout } else { [output.stdout, output.stderr].concat() };
        let answer = format!("{code}\n{}", String::from_utf8_lossy(&text));
        fs::write(&kept, &answer).map_err(|e| e.to_string())?;
        Ok(answer)
    }

    fn run(&self, config: &Path, arguments: &[&str]) -> Result<Output, String> {
        let mut command = Command::new("apt-get");
        command.args(arguments).env("APT_CONFIG", config).env("LC_ALL", "C").current_dir(&self.dir);
        command.output().map_err(|e| format!("apt-get cannot be run: {e}"))
    }
}

fn version() -> Result<String, String> {
    let output =
        Command::new("apt-get").arg("--version").output().map_err(|e| format!("apt-get cannot be run: {e}"))?;
    Ok(String::from_utf8_lossy(&output.stdout).lines().next().unwrap_or_default().to_owned())
}

fn suites(release: &str) -> [String; 3] {
    [release.to_owned(), format!("{release}-updates"), format!("{release}-security")]
}

/// The host's own sources with the release replaced, one stanza a suite, in our order.
fn sources(release: &str) -> Result<String, String> {
    let os = fs::read_to_string("/etc/os-release").map_err(|e| format!("the host's release is not known: {e}"))?;
    let host = os.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME=")).unwrap_or_default();
    let stanzas = host_stanzas();
    let mut text = String::new();
    for (suite, host_suite) in suites(release).iter().zip(suites(host)) {
        let of_suite = |s: &&(String, String, String)| s.1.split_whitespace().any(|word| *word == *host_suite);
        let (uri, _, signed) =
            stanzas.iter().find(of_suite).ok_or(format!("the host has no source for {host_suite}"))?;
        writeln!(text, "Types: deb\nURIs: {uri}\nSuites: {suite}\nComponents: main\n{signed}").unwrap();
    }
    Ok(text)
}

/// Address, suites and `Signed-By` line of each stanza of the host's deb822 sources.
fn host_stanzas() -> Vec<(String, String, String)> {
    let entries = fs::read_dir("/etc/apt/sources.list.d").into_iter().flatten().flatten();
    let files = entries.map(|e| e.path()).filter(|path| path.extension().is_some_and(|e| e == "sources"));
    let mut files: Vec<PathBuf> = files.collect();
    files.sort();
    let mut found = Vec::new();
    for text in files.iter().filter_map(|path| fs::read_to_string(path).ok()) {
        for stanza in text.split("\n\n") {
            let get = |key: &str| {
                stanza.lines().find_map(|line| line.strip_prefix(key)).unwrap_or_default().trim().to_owned()
            };
            let signed =
                stanza.lines().find(|line| line.starts_with("Signed-By:")).map_or(String::new(), |l| format!("{l}\n"));
            found.push((get("URIs:"), get("Suites:"), signed));
        }
    }
    found
}
