//! `diversions`: paths of packages that stand under another name (dpkg `lib/dpkg/db-fsys-divert.c`, dpkg-divert(1)).

/// One diversion.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) struct Diversion {
    /// The path as packages ship it.
    pub(in super::super) from: String,
    /// Where other packages' files go.
    pub(in super::super) to: String,
    /// The package that diverts, whose own file keeps the path; `:` is the machine's administrator.
    pub(in super::super) package: String,
}

/// All diversions.
pub(super) struct Diversions(Vec<Diversion>);

impl Diversions {
    pub(super) fn parse(text: &str) -> Self {
        let lines: Vec<_> = text.lines().map(str::to_owned).collect();
        let all = lines.chunks_exact(3);
        Self(all.map(|of| Diversion { from: of[0].clone(), to: of[1].clone(), package: of[2].clone() }).collect())
    }

    pub(super) fn add(&mut self, diversion: Diversion) {
        self.remove(&diversion.from);
        self.0.push(diversion);
    }

    pub(super) fn remove(&mut self, from: &str) {
        self.0.retain(|d| d.from != from);
    }

    /// The file: dpkg writes what it finds on a walk through its hash table of paths, so the order is the table's.
    pub(super) fn text(&self) -> String {
        let mut all: Vec<_> = self.0.iter().collect();
        all.sort_by_key(|d| bin(&d.from));
        all.iter().map(|d| format!("{}\n{}\n{}\n", d.from, d.to, d.package)).collect()
    }
}

/// The place of a path in dpkg's table: FNV-1a over the path without its first slash, in 262,139 bins (`lib/dpkg/{fsys-hash,strhash}.c`).
fn bin(path: &str) -> u32 {
    path.trim_start_matches('/')
        .bytes()
        .fold(2_166_136_261_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619))
        % 262_139
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_order_is_that_of_dpkgs_table() {
        let mut all = Diversions::parse("/lib32\n/.lib32.usr-is-merged\nbase-files\n");
        for (from, to, package) in [
            ("/libx32", "/.libx32.usr-is-merged", "base-files"),
            ("/usr/bin/pg_config", "/usr/bin/pg_config.libpq-dev", "postgresql-common"),
            ("/lib64/ld-linux-x86-64.so.2", "/lib64/ld-linux-x86-64.so.2.usr-is-merged", "libc6"),
            ("/libo32", "/.libo32.usr-is-merged", "base-files"),
        ] {
            all.add(Diversion { from: from.into(), to: to.into(), package: package.into() });
        }
        let text = all.text();
        let froms: Vec<_> = text.lines().step_by(3).collect();
        assert_eq!(froms, ["/usr/bin/pg_config", "/lib64/ld-linux-x86-64.so.2", "/libx32", "/lib32", "/libo32"]);
    }
}
