//! The linker's cache against the image's own `ldconfig`, under an emulator where the image is for another architecture.

use super::unpack::Unpacked;
use remint::layer::Kind;
use std::process::Command;

/// Writes the image's libraries to disk, runs its `ldconfig` there, and compares the two caches.
#[expect(clippy::disallowed_methods, reason = "tests decide by the environment whether they need their judges")]
pub(crate) fn judge(image: &Unpacked, emulator: &str) {
    if Command::new(emulator).arg("--version").output().is_err() {
        assert!(std::env::var_os("REMINT_TEST_REQUIRE_JUDGES").is_none(), "{emulator} is required");
        super::note(&format!("skipped: {emulator} is not installed"));
        return;
    }
    let place = tempfile::tempdir().unwrap();
    let wanted = |path: &str| {
        path.starts_with("etc/ld.so")
            || path.starts_with("usr/lib")
            || path.starts_with("usr/local")
            || path == "usr/sbin/ldconfig"
            || !path.contains('/')
    };
    for (path, (entry, content)) in image.0.iter().filter(|(path, _)| wanted(path.as_str())) {
        let file = place.path().join(path.as_str());
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        match &entry.kind {
            Kind::Directory => std::fs::create_dir_all(file).unwrap(),
            Kind::Symlink { target } => std::os::unix::fs::symlink(target, file).unwrap(),
            Kind::Hardlink { target } => std::fs::write(file, &image.0[target].1).unwrap(),
            _ => std::fs::write(file, content).unwrap(),
        }
    }
    let program = place.path().join("usr/sbin/ldconfig");
    std::fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    let cache = place.path().join("etc/ld.so.cache");
    let ours = std::fs::read(&cache).unwrap();
    std::fs::remove_file(&cache).unwrap();
    let run = Command::new(emulator)
        .arg(place.path().join("usr/sbin/ldconfig"))
        .arg("-X")
        .arg("-r")
        .arg(place.path())
        .output()
        .unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let real = std::fs::read(&cache).unwrap();
    assert!(ours == real, "the caches differ: {} and {} bytes", ours.len(), real.len());
}
