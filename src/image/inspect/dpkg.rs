//! The packages that an image's dpkg database lists (dpkg's `status` file; deb-control(5), dpkg(1) "Package states").
//!
//! Images without dpkg, whose makers only unpacked packages, have a file for each in `status.d` instead, which scanners read as well.

use serde::Serialize;
use std::collections::BTreeMap;
use std::io::{self, BufRead, BufReader, Read};

/// Where dpkg keeps what is installed.
const STATUS: &str = "var/lib/dpkg/status";

/// Where images without dpkg keep a stanza for each package; beside them stand lists of their files.
const DIRECTORY: &str = "var/lib/dpkg/status.d/";

/// A dpkg database, as layer after layer shows it.
#[derive(Debug, Default)]
pub(super) struct Database {
    /// What each file of it lists.
    files: BTreeMap<String, Vec<Package>>,
}

impl Database {
    /// Reads a file, if it is one of the database.
    pub(super) fn look(&mut self, path: &str, content: &mut dyn Read) -> io::Result<()> {
        let single =
            path.strip_prefix(DIRECTORY).is_some_and(|name| !name.contains('/') && !name.ends_with(".md5sums"));
        if path == STATUS || single {
            self.files.insert(path.to_owned(), installed(content, single)?);
        }
        Ok(())
    }

    /// The packages of the files that are there in the end, sorted.
    pub(super) fn packages(self, there: impl Fn(&str) -> bool) -> Vec<Package> {
        let mut all: Vec<Package> =
            self.files.into_iter().filter(|(path, _)| there(path)).flat_map(|(_, packages)| packages).collect();
        all.sort();
        all.dedup();
        all
    }
}

/// A package that is installed.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its architecture.
    pub architecture: String,
    /// Its version.
    pub version: String,
    /// What it takes up by its own estimate, in KiB (Debian policy 5.6.20), if it says.
    pub installed_kib: Option<u64>,
}

/// The longest line that is looked at, in bytes; dependencies of the largest packages have a tenth of it.
const LINE_LIMIT: usize = 1 << 20;

/// The most packages that are listed: some fifty times what Debian's largest desktops install.
const PACKAGE_LIMIT: usize = 200_000;

/// Reads a status file and lists what is installed, sorted; `there`: also what says nothing of its state. Lines that mean nothing here
/// are passed over.
fn installed(status: &mut dyn Read, there: bool) -> io::Result<Vec<Package>> {
    let mut reader = BufReader::new(status);
    let mut packages = Vec::new();
    let mut stanza = Stanza::default();
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = Read::take(&mut reader, LINE_LIMIT as u64).read_until(b'\n', &mut line)?;
        if read == LINE_LIMIT && line.last() != Some(&b'\n') {
            return Err(io::Error::other(format!("`{STATUS}` has a line of more than {LINE_LIMIT} bytes")));
        }
        let text = String::from_utf8_lossy(&line);
        let text = text.trim_end();
        if !text.is_empty() {
            stanza.field(text);
            continue;
        }
        packages.extend(std::mem::take(&mut stanza).package(there));
        if packages.len() > PACKAGE_LIMIT {
            return Err(io::Error::other(format!("`{STATUS}` has more than {PACKAGE_LIMIT} packages")));
        }
        if read == 0 {
            packages.sort();
            return Ok(packages);
        }
    }
}

/// The fields of one package so far.
#[derive(Default)]
struct Stanza {
    name: Option<String>,
    architecture: Option<String>,
    version: Option<String>,
    installed_kib: Option<u64>,
    status: Option<String>,
}

impl Stanza {
    fn field(&mut self, line: &str) {
        // A line that goes on from the one before begins with a space, which no field's name does.
        let Some((name, value)) = line.split_once(':') else { return };
        let value = || Some(value.trim().to_owned());
        match name {
            "Package" => self.name = value(),
            "Architecture" => self.architecture = value(),
            "Version" => self.version = value(),
            "Status" => self.status = value(),
            "Installed-Size" => self.installed_kib = value().and_then(|value| value.parse().ok()),
            _ => {}
        }
    }

    /// The package, if its files are there: removed ones leave their configuration behind and keep a stanza.
    fn package(self, there: bool) -> Option<Package> {
        let state = self.status.or_else(|| there.then(|| "installed".to_owned()))?;
        let there = matches!(
            state.rsplit(' ').next(),
            Some("installed" | "unpacked" | "half-configured" | "triggers-awaited" | "triggers-pending")
        );
        Some(Package {
            name: self.name.filter(|_| there)?,
            architecture: self.architecture.unwrap_or_default(),
            version: self.version.unwrap_or_default(),
            installed_kib: self.installed_kib,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn installed_packages_are_listed() {
        let status = "Package: zlib1g\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:1.3\n\
                      Installed-Size: 160\nDescription: x\n Package: not-me\n\n\
                      Package: gone\nStatus: deinstall ok config-files\nVersion: 1\n\n\n\
                      Package: base-files\nStatus: install ok unpacked\nArchitecture: amd64\nVersion: 13";
        let packages = installed(&mut status.as_bytes(), false).unwrap();
        let names: Vec<_> = packages.iter().map(|p| (&*p.name, &*p.version, p.installed_kib)).collect();
        assert_eq!(names, [("base-files", "13", None), ("zlib1g", "1:1.3", Some(160))]);
        assert_eq!(installed(&mut &b""[..], false).unwrap(), []);
    }

    #[test]
    fn a_file_each_is_read_too() {
        let mut database = Database::default();
        for (path, text) in [
            ("var/lib/dpkg/status.d/libc6", "Package: libc6\nVersion: 2\nArchitecture: amd64\n"),
            ("var/lib/dpkg/status.d/libc6.md5sums", "Package: no\nVersion: 1\n"),
            ("var/lib/dpkg/status.d/gone", "Package: gone\nVersion: 1\n"),
            ("etc/other", "Package: no\nVersion: 1\n"),
        ] {
            database.look(path, &mut text.as_bytes()).unwrap();
        }
        let packages = database.packages(|path| !path.ends_with("gone"));
        assert_eq!(packages.iter().map(|package| &*package.name).collect::<Vec<_>>(), ["libc6"]);
    }

    #[test]
    fn endless_lines_are_refused() {
        assert!(installed(&mut io::repeat(b'x').take(1 << 30), false).is_err());
    }
}
