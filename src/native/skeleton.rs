//! What is there before any package: the links of a merged `/usr` (debootstrap 1.0.128, mmdebstrap 1.3, base-files 12 and 13, usrmerge 35).

use super::Input;
use super::tree::Tree;
use crate::oci::Arch;

/// Makes the links at the root where their directories exist under `/usr`. In trixie base-files ships them; in bookworm no package
/// does, the installer makes them.
pub(super) fn make(tree: &mut Tree<'_>, input: &Input<'_>) {
    let more: &[&str] = match input.arch {
        Arch::Amd64 => &["lib32", "lib64", "libx32"],
        Arch::I386 => &["lib64", "libx32"],
        Arch::Ppc64le => &["lib32", "lib64"],
        Arch::S390x => &["lib32"],
        _ => &[],
    };
    for name in ["bin", "lib", "sbin"].iter().chain(more) {
        if tree.get(name).is_none() && tree.is_directory(&format!("usr/{name}")) {
            tree.symlink(name, &format!("usr/{name}"));
        }
    }
}
