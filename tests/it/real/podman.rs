//! podman runs every shipped image, straight from the store.

use super::shipped::{IMAGES, Shipped};
use crate::support::judge;
use crate::support::podman::Podman;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

/// Imports what depends on a C library of its own.
const PYTHON: &str = "import bz2, ctypes, lzma, sqlite3, ssl, uuid, zlib, zoneinfo
assert sqlite3.connect(':memory:').execute('select 6 * 7').fetchone() == (42,)
assert ssl.create_default_context().cert_store_stats()['x509_ca'] > 100
assert ctypes.CDLL('libc.so.6').getpid() == 1
assert zoneinfo.ZoneInfo('Europe/Berlin')
print('it works')";

/// Fetches the page until the server is up, with nothing but the standard library.
const FETCH: &str = "import time, urllib.request
for _ in range(100):
    try:
        print(urllib.request.urlopen('http://127.0.0.1:8080/', timeout=5).read().decode())
        break
    except OSError:
        time.sleep(0.1)";

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
fn podman_runs_every_image() {
    // podman makes a name out of a layout's path, and names have no capitals.
    let name = format!("remint-real-{}", std::process::id());
    let dir = tempfile::Builder::new().prefix(&name).rand_bytes(0).tempdir().unwrap();
    let Some(podman) = Podman::find(&dir.path().join("podman")) else { return };
    let Some(shipped) = Shipped::get() else { return };
    let [base, debian, nginx, python, static_] = IMAGES.map(|image| {
        let id = podman.run(&["pull", "--quiet", &format!("oci:{}:{image}", shipped.store.display())]);
        id.trim().to_owned()
    });
    assert_eq!(podman.run_image(&python, &["-c", PYTHON]), "it works\n");
    assert_eq!(podman.run_image(&debian, &["sh", "-c", CLEAN]), "clean\n");
    for (image, linked) in [(&base, "-crt-static"), (&static_, "+crt-static")] {
        let program = compile(dir.path(), linked);
        let mount = format!("{}:/probe:ro", program.display());
        assert_eq!(run(&podman, "none", &["--volume", &mount, "--entrypoint", "/probe", image]), "false\n");
    }
    serve(&podman, &nginx, &python);
    install(&podman, &debian, dir.path());
}

/// A page is served, from within the server's own network, by processes of which none is root.
fn serve(podman: &Podman, nginx: &str, python: &str) {
    let limits = ["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096", "--pull", "never"];
    let mut arguments = vec!["run", "--detach", "--network", "none"];
    arguments.extend(limits);
    arguments.push(nginx);
    let server = podman.run(&arguments);
    let server = server.trim();
    let page = run(podman, &format!("container:{server}"), &[python, "-c", FETCH]);
    assert!(page.contains("<!doctype html>"), "{page}\n{}", podman.run(&["logs", server]));
    let pid = podman.run(&["inspect", "--format", "{{.State.Pid}}", server]);
    let pids = children(pid.trim());
    assert!(pids.len() > 1, "the server has no workers");
    for pid in pids {
        let status = std::fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
        assert!(status.contains("\nUid:\t33\t33\t33\t33\n"), "{status}");
    }
    // SIGQUIT, which the image asks for, ends it after what it is serving; ten seconds later it would be killed.
    let begun = Instant::now();
    podman.run(&["stop", "--time", "10", server]);
    assert!(begun.elapsed() < Duration::from_secs(9), "it had to be killed");
    let code = podman.run(&["inspect", "--format", "{{.State.ExitCode}}", server]);
    assert_eq!(code.trim(), "0");
    podman.run(&["rm", server]);
}

/// apt goes on from where remint stopped.
fn install(podman: &Podman, debian: &str, dir: &Path) {
    let os = std::fs::read_to_string("/etc/os-release").unwrap_or_default();
    let Some(host) = os.lines().find_map(|line| line.strip_prefix("VERSION_CODENAME=")) else {
        judge::missing("the host's release is not known");
        return;
    };
    let mut arguments = Vec::new();
    let read =
        |name: &str| [Some("list"), Some("sources")].contains(&Path::new(name).extension().and_then(|e| e.to_str()));
    for (name, text) in judge::apt_sources().into_iter().filter(|(name, _)| read(name)) {
        let file = dir.join(&name);
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
    assert_eq!(run(podman, "host", &arguments), "Hello, world!\n");
}

fn run(podman: &Podman, network: &str, arguments: &[&str]) -> String {
    let mut all = vec!["run", "--rm", "--pull", "never", "--network", network];
    all.extend(["--ulimit", "nofile=1024:1024", "--ulimit", "nproc=4096:4096"]);
    all.extend(arguments);
    podman.run(&all)
}

/// A process and its children.
fn children(pid: &str) -> Vec<String> {
    let listed = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children")).unwrap();
    std::iter::once(pid).chain(listed.split_whitespace()).map(str::to_owned).collect()
}

fn compile(dir: &Path, linked: &str) -> std::path::PathBuf {
    let (source, binary) = (dir.join("probe.rs"), dir.join(format!("probe{linked}")));
    std::fs::write(&source, PROBE).unwrap();
    let mut command = Command::new(option_env!("RUSTC").unwrap_or("rustc"));
    command.args(["--edition", "2021", "-C", "panic=abort", "-C", &format!("target-feature={linked}"), "-o"]);
    judge::succeed(command.arg(&binary).arg(&source));
    binary
}
