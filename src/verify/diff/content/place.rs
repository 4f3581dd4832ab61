//! What a path alone says: caches, logs, and what tools leave behind.

use crate::verify::diff::class::Class;

/// Directories whose contents are logs and caches.
const RUBBISH: [&str; 16] = [
    "var/log/",
    "var/cache/",
    "var/lib/apt/lists/",
    "var/tmp/",
    "tmp/",
    "run/",
    "root/.cache/",
    "root/.npm/",
    "root/.gnupg/",
    "root/.cargo/registry/",
    "root/.m2/repository/",
    "root/.gradle/caches/",
    "root/go/pkg/mod/cache/",
    "usr/local/share/.cache/",
    "var/lib/dnf/",
    "var/lib/yum/",
];

/// Names of files that are histories and traces.
const TRACES: [&str; 8] = [
    ".bash_history",
    ".wget-hsts",
    ".lesshst",
    ".python_history",
    ".viminfo",
    ".DS_Store",
    "nohup.out",
    ".node_repl_history",
];

/// The class that a path has whatever is in it.
pub(in crate::verify::diff) fn by_path(path: &str) -> Option<Class> {
    let name = path.rsplit('/').next().unwrap_or(path);
    if path == "etc/ld.so.cache" || path.starts_with("var/cache/ldconfig/") {
        return Some(Class::LinkerCache);
    }
    if compiled_python(name) || name == "__pycache__" {
        return Some(Class::Bytecode);
    }
    match path {
        "etc/hostname" | "etc/hosts" | "etc/resolv.conf" | "etc/mailname" => return Some(Class::HostName),
        "etc/machine-id" | "var/lib/dbus/machine-id" | "var/lib/systemd/random-seed" => return Some(Class::RandomId),
        _ => {}
    }
    let home = path.strip_prefix("home/").and_then(|rest| rest.split_once('/')).map(|(_, rest)| rest);
    let cached = home.is_some_and(|rest| rest.starts_with(".cache/") || rest.starts_with(".npm/"));
    let backup = path.starts_with("var/lib/dpkg/") && path.ends_with("-old")
        || ["etc/passwd-", "etc/group-", "etc/shadow-", "etc/gshadow-"].contains(&path);
    // Extensions of logs, in the case that programs write them.
    let log = path.rsplit_once('.').is_some_and(|(_, extension)| extension == "log");
    let rubbish = RUBBISH.iter().any(|directory| path.starts_with(directory)) || TRACES.contains(&name);
    (rubbish || cached || backup || log).then_some(Class::LogOrCache)
}

/// Whether a name is a compiled Python module's, in the case that Python writes.
pub(super) fn compiled_python(name: &str) -> bool {
    matches!(name.rsplit_once('.'), Some((_, "pyc" | "pyo")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn known_places_have_their_class() {
        for (path, class) in [
            ("etc/ld.so.cache", Some(Class::LinkerCache)),
            ("usr/lib/python3/__pycache__/a.cpython-311.pyc", Some(Class::Bytecode)),
            ("etc/machine-id", Some(Class::RandomId)),
            ("etc/hostname", Some(Class::HostName)),
            ("var/log/dpkg.log", Some(Class::LogOrCache)),
            ("home/app/.cache/pip/x", Some(Class::LogOrCache)),
            ("var/lib/dpkg/status-old", Some(Class::LogOrCache)),
            ("srv/app/build.log", Some(Class::LogOrCache)),
            ("srv/app/logs.txt", None),
            ("var/lib/dpkg/status", None),
        ] {
            assert_eq!(by_path(path), class, "{path}");
        }
    }
}
