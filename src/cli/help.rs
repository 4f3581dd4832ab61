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
  remint lock --offline      look again at what no native step covers, in what the store has

After locking, the packages are fetched for the build to come, and their maintainer scripts
looked at: those that no native step covers are listed for each layer, with what that means.

Commit remint.lock: a change of it is what a reviewer reads.";

/// Below `remint build --help`.
pub(super) const BUILD: &str = "\
Examples:
  remint                     build all images for all their platforms
  remint build web api --platform linux/arm64
                             build two of them, for one platform
  remint build --explain     say of each layer what changed since the last build
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

/// Below `remint sbom --help`.
pub(super) const SBOM: &str = "\
Examples:
  remint sbom web -o web.spdx.json
                             what the image is made of, as SPDX 2.3
  remint sbom web@linux/arm64 --format cyclonedx
                             of one platform, as CycloneDX 1.6
  remint sbom web | jq -r '.packages[] | .name + \" \" + .licenseDeclared'
                             its packages and their licences

Made from remint.lock and from what the layers hold: the same image gives the same bytes. An
image for several platforms gives a document for each, a line each.";

/// Below `remint cache --help`.
pub(super) const CACHE: &str = "\
Examples:
  remint cache               what the store holds, by kind and by image
  remint cache --format json | jq -r '.blobs[] | select(.needed_by == []) | .digest'
                             what nothing needs, for a script
  remint cache check         read every blob and every result: 0 if all is whole, else 1

What is damaged is removed by the check, so that the next build makes it again.";

/// Below `remint gc --help`.
pub(super) const GC: &str = "\
Examples:
  remint gc                  remove what neither an image, nor remint.lock, nor the last 3 builds of
                             each image need
  remint gc --dry-run        show what that would be
  remint gc --keep-size 10GB --older-than 30d
                             go easy: only what is old, and only until the store has 10 GB
  remint --cache-dir /srv/cache gc --keep-builds 10
                             a store that several projects share

Builds that are running on the store are waited for.";

/// Below `remint publish --help`.
pub(super) const PUBLISH: &str = "\
Examples:
  remint publish --to registry.example/team
                             send all images that were built, as registry.example/team/IMAGE:latest
  remint publish web --to registry.example/{recipe} --tag {date}-{git} --tag latest
                             send one, with two tags
  remint publish --dry-run   show what would be sent
  remint publish --immutable --digest-file digests
                             in CI: never move a tag, and keep the digests for the next step
  remint publish --sign-key env://SIGNING_KEY
                             sign images and what is attached to them, as cosign verifies it

What the registry has is not sent again. Tags are set last: whoever reads one finds the whole
image, or the one before. Credentials are those of `podman login` and `docker login`.";

/// Below `remint serve --help`.
pub(super) const SERVE: &str = "\
Examples:
  remint serve               all images, on 127.0.0.1:5000 or the next port that is free
  podman pull --tls-verify=false 127.0.0.1:5000/web
  docker pull 127.0.0.1:5000/web
                             from another terminal; docker takes what `--compression gzip` built
  remint serve web --address 192.0.2.7:5000
                             one image, to other machines: without TLS, to whoever reaches the port
  remint serve --address 127.0.0.1:0 --format json | jq -r '.reference // empty'
                             any free port, for a script

An image's tag is `latest`; by digest it has whatever the image leads to, and its earlier builds
as long as the server runs and the store has them. Nothing can be pushed. Ends with Ctrl-C.";

/// Below `remint verify --help`.
pub(super) const VERIFY: &str = "\
Examples:
  remint verify              build everything again under other circumstances, and compare
  remint verify web --seed 7 one image, under the circumstances that this seed decides
  remint verify --quick      only recompute the digests of what the store holds
  remint verify --against digests.txt
                             with lines such as `web sha256:…` or `web@linux/arm64 sha256:…`
  remint verify --against oci-archive:web.tar web
                             with an image that somebody else built
  remint verify registry.example/team/web:1
                             build what a registry holds again, and compare
  remint verify registry.example/team/web:1 --key team.pub --quick
                             only say what this key vouches for, or fail if it did not sign it
  remint verify registry.example/team/web:1 --attest --sign-key env://KEY
                             attach a signed statement that it was rebuilt, if it is identical
  remint verify registry.example/team/web:1 --require-rebuilds 2 --key a.pub --key b.pub
                             fail unless two others have attached theirs
  remint verify --junit verify.xml --summary \"$GITHUB_STEP_SUMMARY\"
                             in CI
  remint verify --report verify.html
                             one page for a browser, to be read or kept

Exits with 0 if everything is identical, and with 1 if anything is not, or nobody vouches for it.
With `--key`, `--quick` and `--require-rebuilds` build and compare nothing, and need no recipes.";

/// Below `remint why --help`.
pub(super) const WHY: &str = "\
Examples:
  remint why web             what the last build of it built, and what had changed
  remint why web@linux/arm64 for one platform
  remint build --explain     the same of a build, as it begins";

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
  remint diff web oci:before:web --report diff.html
                             one page for a browser

The same files in other layers or another compression are no difference. Ends with 0 where
there is none, with 1 where there is one, and with another code where there is no answer.";

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
