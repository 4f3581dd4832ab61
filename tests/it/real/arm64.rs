//! Images for arm64: every program in them is of that architecture, and runs under an emulator.

use super::shipped::{IMAGES, Shipped};
use crate::support::emulator::Emulator;
use crate::support::judge;
use crate::support::podman::Podman;
use std::fs::File;
use std::io::Read as _;
use std::process::Command;

/// `e_machine` of arm64 (ELF for the Arm 64-bit architecture).
const AARCH64: u16 = 183;

#[test]
fn every_program_is_of_its_images_architecture() {
    let Some(shipped) = Shipped::get() else { return };
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let shipped = shipped.linked(&dir.path().join("store"));
    let flat = dir.path().join("flat.tar");
    for image in IMAGES {
        shipped.flat(image, "arm64", &flat);
        let mut programs = 0;
        for entry in tar::Archive::new(File::open(&flat).unwrap()).entries().unwrap() {
            let mut entry = entry.unwrap();
            let mut head = Vec::new();
            entry.by_ref().take(20).read_to_end(&mut head).unwrap();
            if head.len() == 20 && head.starts_with(b"\x7fELF") {
                let machine = u16::from_le_bytes([head[18], head[19]]);
                assert_eq!(machine, AARCH64, "{image}: {}", entry.path().unwrap().display());
                programs += 1;
            }
        }
        assert!(programs > 0 || image == "static", "{image} has no program");
    }
}

#[test]
fn python_runs_where_it_is_emulated() {
    let Some(_emulator) = Emulator::find() else { return };
    let Some(tar) = judge::find("tar").filter(|_| judge::is_root()) else { return };
    let Some(shipped) = Shipped::get() else { return };
    let dir = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
    let (flat, root) = (dir.path().join("flat.tar"), dir.path().join("root"));
    shipped.linked(&dir.path().join("store")).flat("python", "arm64", &flat);
    std::fs::create_dir(&root).unwrap();
    judge::run(tar, ["-x".as_ref(), "-f".as_ref(), flat.as_os_str(), "-C".as_ref(), root.as_os_str()]);
    let probe = "import platform, ssl, sqlite3, ctypes; print(platform.machine(), ssl.create_default_context().cert_store_stats()['x509_ca'] > 100)";
    let mut python = Command::new("chroot");
    python.arg("--userspec=65532:65532").arg(&root).args(["/usr/bin/python3", "-c", probe]);
    python.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
    // As the image's configuration says.
    python.env("SSL_CERT_FILE", "/etc/ssl/certs/ca-certificates.crt");
    assert_eq!(judge::succeed(&mut python), "aarch64 True\n");
}

/// What dpkg and a container engine say, which takes a minute.
#[test]
fn containers_run_where_they_are_emulated() {
    if !judge::long() {
        judge::skipped("REMINT_TEST_LONG runs containers for arm64 too");
        return;
    }
    let Some(_emulator) = Emulator::find() else { return };
    let name = format!("remint-emulated-{}", std::process::id());
    let dir = tempfile::Builder::new().prefix(&name).rand_bytes(0).tempdir().unwrap();
    let Some(podman) = Podman::find(&dir.path().join("podman")) else { return };
    let Some(shipped) = Shipped::get() else { return };
    let pull = |image: &str| {
        let place = format!("oci:{}:{image}", shipped.store.display());
        podman.run(&["pull", "--quiet", "--platform", "linux/arm64", &place]).trim().to_owned()
    };
    let probe = "import platform, ssl, sqlite3, ctypes; print(platform.machine())";
    assert_eq!(podman.run_image(&pull("python"), &["-c", probe]), "aarch64\n");
    let clean = "set -e; test -z \"$(dpkg --audit)\"; dpkg -V; uname -m";
    assert_eq!(podman.run_image(&pull("debian"), &["sh", "-c", clean]), "aarch64\n");
}
