//! Users and groups against the packages' own scripts, run for arm64 under an emulator: those alone that have to do with accounts, since
//! to run them all takes minutes.

use super::compare;
use super::unpack::Unpacked;
use crate::support::emulator::Emulator;
use crate::support::judge;
use remint::layer::Kind;
use remint::native::Package;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Command;

/// What scripts that make users and groups speak of.
const WORDS: [&str; 9] = [
    "/etc/group",
    "/etc/passwd",
    "adduser",
    "groupadd",
    "pwconv",
    "shadowconfig",
    "systemd-sysusers",
    "update-passwd",
    "useradd",
];

/// The files that are compared.
const FILES: [&str; 4] = ["etc/group", "etc/gshadow", "etc/passwd", "etc/shadow"];

/// Unpacks the packages to disk, runs their account scripts there, and compares what these leave with the configured image.
pub(crate) fn judge(unpacked: &Unpacked, packages: &[Package], image: &Unpacked) {
    let Some(_emulator) = Emulator::find() else { return };
    if !judge::is_root() {
        return;
    }
    let place = tempfile::tempdir().unwrap();
    write(unpacked, place.path());
    let info = place.path().join("var/lib/dpkg/info");
    std::fs::create_dir_all(&info).unwrap();
    for package in packages {
        for (name, content) in &package.control {
            let file = info.join(format!("{}.{name}", package.name));
            std::fs::write(&file, content).unwrap();
            std::fs::set_permissions(&file, PermissionsExt::from_mode(0o755)).unwrap();
        }
    }
    // Those that make the files come first; what else there is needs no order among itself.
    let rank = |package: &&Package| match package.name.as_str() {
        "base-passwd" => 0,
        "passwd" => 1,
        _ => 2,
    };
    let mut ordered: Vec<&Package> = packages.iter().collect();
    ordered.sort_by_key(rank);
    let mut ran = Vec::new();
    for package in ordered {
        for (script, arguments) in [("preinst", ["install", ""]), ("postinst", ["configure", ""])] {
            let text = package.control.get(script).map(|text| String::from_utf8_lossy(text).into_owned());
            if !text.is_some_and(|text| WORDS.iter().any(|word| text.contains(word))) {
                continue;
            }
            let mut command = Command::new("chroot");
            command.arg(place.path()).arg(format!("/var/lib/dpkg/info/{}.{script}", package.name)).args(arguments);
            command.env_clear().env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin").env("DEBIAN_FRONTEND", "noninteractive");
            command.env("DPKG_MAINTSCRIPT_PACKAGE", &package.name).env("DPKG_MAINTSCRIPT_NAME", script);
            command.env("DPKG_MAINTSCRIPT_ARCH", &package.arch).env("DPKG_ROOT", "").env("LC_ALL", "C");
            judge::succeed(&mut command);
            ran.push(format!("{} {script}", package.name));
        }
    }
    for script in ["base-passwd postinst", "passwd postinst"] {
        assert!(ran.iter().any(|one| one == script), "{script} is not among {ran:?}");
    }
    let report = compare::paths(image, place.path(), &FILES);
    assert!(report.is_empty(), "after {ran:?}:\n{}", report.join("\n"));
}

/// Writes what programs need to run.
fn write(tree: &Unpacked, place: &Path) {
    let idle = ["usr/share/doc/", "usr/share/info/", "usr/share/locale/", "usr/share/man/", "usr/share/zoneinfo/"];
    for (path, (entry, content)) in &tree.0 {
        let file = place.join(path.as_str());
        if idle.iter().any(|idle| path.as_str().starts_with(idle)) {
            continue;
        }
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        match &entry.kind {
            Kind::Directory => std::fs::create_dir_all(&file).unwrap(),
            Kind::Symlink { target } => {
                symlink(target, &file).unwrap();
                continue;
            }
            Kind::Hardlink { target } => std::fs::write(&file, &tree.0[target].1).unwrap(),
            _ => std::fs::write(&file, content).unwrap(),
        }
        std::fs::set_permissions(&file, PermissionsExt::from_mode(entry.mode)).unwrap();
    }
    for name in ["bin", "lib", "sbin"] {
        // In bookworm no package ships the links.
        let _ = symlink(format!("usr/{name}"), place.join(name));
    }
    std::fs::create_dir_all(place.join("dev")).unwrap();
    judge::run("mknod", ["-m", "666", place.join("dev/null").to_str().unwrap(), "c", "1", "3"]);
}
