//! The files that tell apt where packages are (sources.list(5)), read for their addresses alone.

use super::stanza::Stanza;
use crate::source::fetch::Url;

/// An archive that the host's apt uses.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct AptEntry {
    /// The base address.
    pub(super) base: Url,
    /// The suite.
    pub(super) suite: String,
}

/// Reads a file in the form that its name says: `.sources`, or one line an entry.
///
/// What cannot be used is told in `skipped`: it stops nothing, since the host's files are not the project's concern.
pub(super) fn parse(name: &str, content: &str, entries: &mut Vec<AptEntry>, skipped: &mut Vec<String>) {
    let mut add = |addresses: &str, suites: &str, at: &str| {
        for address in addresses.split_ascii_whitespace() {
            match Url::parse(address) {
                Err(why) => skipped.push(format!("{at}: {why}")),
                Ok(base) => {
                    // A suite that ends with a slash is a directory without indices of components.
                    let suites = suites.split_ascii_whitespace().filter(|suite| !suite.ends_with('/'));
                    entries.extend(suites.map(|suite| AptEntry { base: base.clone(), suite: suite.to_owned() }));
                }
            }
        }
    };
    if !name.ends_with(".sources") {
        for (number, line) in content.lines().enumerate() {
            if let Some((address, suite)) = one_line(line) {
                add(address, suite, &format!("{name}:{}", number + 1));
            }
        }
        return;
    }
    // Comments may stand anywhere, and a line of white space ends a stanza.
    let lines = content.lines().filter(|line| !line.starts_with('#'));
    let text: String =
        lines.map(|line| if line.trim().is_empty() { "\n".into() } else { format!("{line}\n") }).collect();
    match Stanza::parse_all(&text) {
        Err(why) => skipped.push(format!("{name}: {why}")),
        Ok(stanzas) => {
            for stanza in stanzas {
                let get = |field| stanza.get(field).unwrap_or_default();
                let off = ["no", "false", "without", "off", "disable", "0"];
                let enabled = !off.iter().any(|word| get("Enabled").eq_ignore_ascii_case(word));
                if enabled && get("Types").split_ascii_whitespace().any(|kind| kind == "deb") {
                    add(get("URIs"), get("Suites"), name);
                }
            }
        }
    }
}

/// The address and the suite of `deb [options] address suite components`.
fn one_line(line: &str) -> Option<(&str, &str)> {
    let line = line.split('#').next().unwrap_or_default().trim();
    let rest = line.strip_prefix("deb").filter(|rest| rest.starts_with([' ', '\t']))?.trim_start();
    let rest = match rest.strip_prefix('[') {
        Some(options) => options.split_once(']')?.1.trim_start(),
        None => rest,
    };
    // The name of a disc has spaces, in brackets.
    let end = match rest.strip_prefix("cdrom:[") {
        Some(name) => rest.len() - name.len() + name.find(']')?,
        None => 0,
    };
    let end = end + rest[end..].find([' ', '\t'])?;
    let (address, rest) = rest.split_at(end);
    let address = if address.starts_with("cdrom:") { "cdrom:" } else { address };
    Some((address, rest.split_ascii_whitespace().next()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str, content: &str) -> (Vec<(String, String)>, Vec<String>) {
        let (mut entries, mut skipped) = (Vec::new(), Vec::new());
        parse(name, content, &mut entries, &mut skipped);
        (entries.into_iter().map(|entry| (entry.base.to_string(), entry.suite)).collect(), skipped)
    }

    fn pair(base: &str, suite: &str) -> (String, String) {
        (base.to_owned(), suite.to_owned())
    }

    #[test]
    fn one_line_entries_are_read() {
        let (entries, skipped) = read(
            "sources.list",
            "# a comment\n\ndeb http://a.test/debian/ trixie main contrib # why\ndeb-src http://a.test/debian trixie main\n\
             deb [ arch=amd64 signed-by=/usr/share/k.gpg ]\thttps://b.test/d bookworm main\ndeb cdrom:[Debian 13 _x_]/ trixie main\n\
             deb mirror+file:/etc/m trixie main\ndeb http://flat.test ./\ndeb\ndebx http://a.test/x y z\n",
        );
        assert_eq!(entries, [pair("http://a.test/debian", "trixie"), pair("https://b.test/d", "bookworm")]);
        assert_eq!(skipped.len(), 2, "{skipped:?}");
        assert!(skipped[0].starts_with("sources.list:6") && skipped[1].starts_with("sources.list:7"), "{skipped:?}");
    }

    #[test]
    fn stanzas_are_read() {
        let (entries, skipped) = read(
            "debian.sources",
            "# a comment\nTypes: deb deb-src\n# within\nURIs: http://a.test/debian\n https://b.test/debian\nSuites: trixie trixie-updates\n\
             Components: main\n \t\nTypes: deb\nEnabled: no\nURIs: http://off.test\nSuites: x\n\nTypes: deb-src\nURIs: http://src.test\nSuites: x\n",
        );
        let expected = ["http://a.test/debian", "https://b.test/debian"];
        let expected: Vec<_> =
            expected.iter().flat_map(|base| [pair(base, "trixie"), pair(base, "trixie-updates")]).collect();
        assert_eq!((entries, skipped), (expected, Vec::new()));
        assert_eq!(read("x.sources", "nonsense\n").1.len(), 1);
    }
}
