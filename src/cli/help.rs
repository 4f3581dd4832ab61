//! What stands below the options in `--help`: examples to paste.

/// Below `remint --help`.
pub(super) const REMINT: &str = "\
Examples:
  remint init demo           start a project that builds at once, in demo/
  remint                     build every image of this project
  remint build web -o docker-archive:web.tar
                             build one image, and write it for `docker load`
  podman run --rm oci:cache:web
                             run it straight from the store
  remint lock --update       move every source forward and show what changed

Exit codes:
   0  done
   1  the answer is no (not identical, invalid, would change)
   2  wrong usage
   3  a recipe or the lock is wrong
   4  a source or the network failed
   5  an action of a build failed
   6  a registry failed
  70  a bug in remint

Environment:
  REMINT_CACHE_DIR           the store's place
  REMINT_DEBIAN_MIRROR       Debian mirrors, tried in order [default: what the host's apt uses]
  SOURCE_DATE_EPOCH          the date in images [default: the newest locked source's]";

/// Below `remint init --help`.
pub(super) const INIT: &str = "\
Examples:
  remint init                in this folder
  remint init demo           in demo/, which is made
  remint init demo && remint -C demo
                             start a project and build it

Files that are there already are never touched.";

/// Below `remint lock --help`.
pub(super) const LOCK: &str = "\
Examples:
  remint lock                pin what recipes name and the lock lacks; keep the rest
  remint lock --update       move everything to the newest versions, and show what changed
  remint lock --update libssl3t64 openssl
                             move only these packages
  remint lock --vanished     move only what the mirrors have dropped
  remint lock --check        in CI: fail if the lock does not match the recipes
  remint lock --update --check
                             show what an update would move, and move nothing

Commit remint.lock: a change of it is what a reviewer reads.";

/// Below `remint build --help`.
pub(super) const BUILD: &str = "\
Examples:
  remint                     build all images for all their platforms
  remint build web api --platform linux/arm64
                             build two of them, for one platform
  remint build --locked      in CI: what the lock says, or nothing
  remint build web --compression gzip -o docker-archive:web.tar && docker load -i web.tar
                             hand an image to Docker
  remint build --format json | jq 'select(.event == \"image-done\")'
                             hand the digests to a script";

/// Below `remint plan --help`.
pub(super) const PLAN: &str = "\
Examples:
  remint plan                what would be made, and what the store has
  remint plan web --all      every single action of one image
  remint plan --format svg -o plan.svg
                             a picture for the browser
  remint plan --format dot | dot -Tpdf > plan.pdf
                             by Graphviz
  remint plan --format json | jq '.nodes[] | select(.state == \"to-do\")'
                             the actions that would run";

/// Below `remint inspect --help`.
pub(super) const INSPECT: &str = "\
Examples:
  remint inspect web         layers, packages, files and sizes
  remint inspect web --platform linux/arm64
                             of one platform
  remint inspect web --format json | jq -r '.packages[].name'
                             for a script";

/// Below `remint diff --help`.
pub(super) const DIFF: &str = "\
Examples:
  remint diff web oci:before:web
                             an image of the store and one of a layout
  remint diff docker-archive:a.tar docker-archive:b.tar
                             two builds of a Dockerfile, as `docker save` wrote them
  remint diff web oci-archive:web.tar --platform linux/arm64
                             one platform only
  remint diff web oci:before:web --format json | jq -r '.platforms[].files[].path'
                             the differing paths, for a script

The same files in other layers or another compression are no difference. Ends with 0 where
there is none, and with 1 where there is one.";

/// Below `remint completions --help`.
pub(super) const COMPLETIONS: &str = "\
Examples:
  remint completions bash > ~/.local/share/bash-completion/completions/remint
  remint completions zsh > ~/.zfunc/_remint
  remint completions fish > ~/.config/fish/completions/remint.fish";

#[cfg(test)]
mod tests {
    use crate::cli::exit::Exit;
    use std::fmt::Write as _;

    #[test]
    fn the_help_lists_every_exit_code() {
        let mut listed = String::new();
        for exit in Exit::ALL {
            writeln!(listed, "  {:2}  {}", exit.code(), exit.meaning()).unwrap();
        }
        assert!(super::REMINT.contains(&listed), "expected in the help:\n{listed}");
    }
}
