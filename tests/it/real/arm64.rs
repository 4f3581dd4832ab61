//! Images for the other architecture, where this machine's kernel has an emulator for it.

use super::shipped::{Shipped, native};
use crate::support::judge;
use crate::support::podman::Podman;

/// That no machine need have an emulator is why this one is left out without a failure.
#[test]
fn the_other_architecture_runs_where_it_is_emulated() {
    let (arch, emulator) = if native() == "amd64" { ("arm64", "qemu-aarch64") } else { ("amd64", "qemu-x86_64") };
    if !std::path::Path::new("/proc/sys/fs/binfmt_misc").join(emulator).exists() {
        judge::skipped(&format!("no `{emulator}` among the kernel's binary formats: {arch} is validated, not run"));
        return;
    }
    let name = format!("remint-emulated-{}", std::process::id());
    let dir = tempfile::Builder::new().prefix(&name).rand_bytes(0).tempdir().unwrap();
    let Some(podman) = Podman::find(&dir.path().join("podman")) else { return };
    let Some(shipped) = Shipped::get() else { return };
    let platform = format!("linux/{arch}");
    let pull = |image: &str| {
        let place = format!("oci:{}:{image}", shipped.store.display());
        podman.run(&["pull", "--quiet", "--platform", &platform, &place]).trim().to_owned()
    };
    let probe = "import platform, ssl, sqlite3, ctypes; print(platform.machine())";
    let machine = if arch == "arm64" { "aarch64\n" } else { "x86_64\n" };
    assert_eq!(podman.run_image(&pull("python"), &["-c", probe]), machine);
    let clean = "set -e; test -z \"$(dpkg --audit)\"; dpkg -V; uname -m";
    assert_eq!(podman.run_image(&pull("debian"), &["sh", "-c", clean]), machine);
}
