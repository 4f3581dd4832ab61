//! What differs between architectures: the names of directories and of the dynamic linker.

use crate::oci::Arch;

/// Debian's multiarch triplet: the name of an architecture's library directory (`dpkg-architecture -qDEB_HOST_MULTIARCH`).
pub(super) const fn triplet(arch: Arch) -> &'static str {
    match arch {
        Arch::Amd64 => "x86_64-linux-gnu",
        Arch::Arm64 => "aarch64-linux-gnu",
        Arch::Arm => "arm-linux-gnueabihf",
        Arch::I386 => "i386-linux-gnu",
        Arch::Ppc64le => "powerpc64le-linux-gnu",
        Arch::Riscv64 => "riscv64-linux-gnu",
        Arch::S390x => "s390x-linux-gnu",
    }
}
