//! podman runs the shipped images that have no service in them, straight from the store, and apt goes on where remint stopped.

use super::engine::Engine;
use crate::support::judge;
use std::path::Path;
use std::process::Command;

/// Imports what depends on a C library of its own.
const PYTHON: &str = "import bz2, ctypes, locale, lzma, sqlite3, ssl, uuid, zlib, zoneinfo
assert sqlite3.connect(':memory:').execute('select 6 * 7').fetchone() == (42,)
assert ssl.create_default_context().cert_store_stats()['x509_ca'] > 100
assert ctypes.CDLL('libc.so.6').getpid() == 1
assert zoneinfo.ZoneInfo('Europe/Berlin')
assert locale.setlocale(locale.LC_ALL, '') == 'C.UTF-8'
print('it works')";

/// What a program finds in `static` and `base`: who it is, certificates, time zones, and the folders that it may write.
const PROBE: &str = r#"
use std::os::unix::fs::MetadataExt;
fn main() {
    assert_eq!(std::fs::metadata("/proc/self").unwrap().uid(), 65532);
    let bundle = std::fs::read_to_string(std::env::var("SSL_CERT_FILE").unwrap()).unwrap();
    assert!(bundle.matches("BEGIN CERTIFICATE").count() > 100);
    assert_eq!(&std::fs::read("/usr/share/zoneinfo/Europe/Berlin").unwrap()[..4], b"TZif");
    assert!(std::fs::read_to_string("/etc/passwd").unwrap().contains("\nnonroot:!:65532:65532:"));
    std::fs::write("/tmp/x", "x").unwrap();
    std::fs::write("x", "x").unwrap();
    assert_eq!(std::env::current_dir().unwrap().to_str(), Some("/home/nonroot"));
    println!("{}", std::path::Path::new("/bin/sh").exists());
}
"#;

/// What `debian` says when dpkg has nothing to complain about.
const CLEAN: &str = "set -e; test -z \"$(dpkg --audit)\"; dpkg -V; ldconfig -p | grep -q libc.so.6; echo clean";

/// Installing and removing, by apt, what starts a script and a trigger.
const INSTALL: &str = "set -e; export DEBIAN_FRONTEND=noninteractive
apt-get -qq update; apt-get -qq -y --no-install-recommends install hello ucf >/dev/null
hello; apt-get -qq -y purge hello ucf >/dev/null; apt-get -qq check; test -z \"$(dpkg --audit)\"; dpkg -V";

#[test]
fn podman_runs_the_images_without_a_service() {
    let Some(engine) = Engine::find("podman") else { return };
    let [base, debian, python, static_] = ["base", "debian", "python", "static"].map(|image| engine.pull(image));
    assert_eq!(engine.run("none", &[&python, "-c", PYTHON]), "it works\n");
    assert_eq!(engine.run("none", &[&debian, "sh", "-c", CLEAN]), "clean\n");
    for (image, linked) in [(&base, "-crt-static"), (&static_, "+crt-static")] {
        let program = compile(engine.dir(), linked);
        let mount = format!("{}:/probe:ro", program.display());
        assert_eq!(engine.run("none", &["--volume", &mount, "--entrypoint", "/probe", image]), "false\n");
    }
    install(&engine, &debian);
}

/// apt goes on from where remint stopped.
fn install(engine: &Engine, debian: &str) {
    let os = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let Some(host) = os.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME=")) else {
        judge::missing("the host's release is not known");
        return;
    };
    let mut arguments = Vec::new();
    let read =
        |name: &str| [Some("list"), Some("sources")].contains(&Path::new(name).extension().and_then(|e| e.to_str()));
    for (name, text) in judge::apt_sources().into_iter().filter(|(name, _)| read(name)) {
        let file = engine.dir().join(&name);
        std::fs::write(&file, text.replace(host, "trixie")).unwrap();
        let to = if name == "sources.list" { "/etc/apt" } else { "/etc/apt/sources.list.d" };
        arguments.extend(["--volume".to_owned(), format!("{}:{to}/{name}:ro", file.display())]);
    }
    if arguments.is_empty() {
        judge::missing("the host has no apt sources");
        return;
    }
    arguments.extend([debian, "sh", "-c", INSTALL].map(str::to_owned));
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    assert_eq!(engine.run("host", &arguments), "Hello, world!\n");
}

fn compile(dir: &Path, linked: &str) -> std::path::PathBuf {
    let (source, binary) = (dir.join("probe.rs"), dir.join(format!("probe{linked}")));
    std::fs::write(&source, PROBE).unwrap();
    let mut command = Command::new(option_env!("RUSTC").unwrap_or("rustc"));
    command.args(["--edition", "2021", "-C", "panic=abort", "-C", &format!("target-feature={linked}"), "-o"]);
    judge::succeed(command.arg(&binary).arg(&source));
    binary
}
