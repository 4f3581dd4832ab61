//! Reads `sets.txt`.

/// One line: a request and where it is made.
#[derive(Debug)]
pub(super) struct Set {
    pub(super) name: String,
    pub(super) arches: Vec<String>,
    pub(super) releases: Vec<String>,
    /// What the base was asked for; empty: an empty system.
    pub(super) base: Vec<String>,
    pub(super) essential: bool,
    pub(super) packages: Vec<String>,
    /// Why our answer is not apt's, where that is known.
    pub(super) known: Option<String>,
}

impl Set {
    pub(super) fn is_for(&self, release: &str, arch: &str) -> bool {
        self.releases.iter().any(|r| r == release) && self.arches.iter().any(|a| a == arch)
    }
}

/// Every set of the file; its head says how a line is made.
pub(super) fn all() -> Vec<Set> {
    let lines = include_str!("sets.txt").lines().map(str::trim);
    let mut sets: Vec<Set> = lines.filter(|line| !line.is_empty() && !line.starts_with('#')).map(parse).collect();
    sets.sort_by(|a, b| a.name.cmp(&b.name));
    let twice = sets.windows(2).find(|pair| pair[0].name == pair[1].name);
    assert!(twice.is_none(), "a set stands twice: {twice:?}");
    sets
}

fn parse(line: &str) -> Set {
    let (line, known) = match line.split_once("# known:") {
        None => (line, None),
        Some((line, reason)) => (line, Some(reason.trim().to_owned())),
    };
    let (name, rest) = line.split_once(": ").unwrap_or_else(|| panic!("no name: {line}"));
    let (head, packages) = rest.split_once(": ").unwrap_or_else(|| panic!("no packages: {line}"));
    let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
    let list = |text: &str| text.split(',').map(str::to_owned).collect::<Vec<_>>();
    let (place, base) = head.split_once(" on ").unwrap_or((head, ""));
    let place = words(place);
    assert!(place.len() >= 2, "expected architectures and releases: {line}");
    Set {
        name: name.to_owned(),
        arches: list(&place[0]),
        releases: list(&place[1]),
        base: words(base),
        essential: place.get(2).is_some_and(|word| word == "essential"),
        packages: words(packages),
        known,
    }
}
