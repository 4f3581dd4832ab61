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

/// Where the dynamic linker is, as programs name it (`PT_INTERP`; glibc `shlib-versions`).
pub(super) const fn linker(arch: Arch) -> &'static str {
    match arch {
        Arch::Amd64 => "/lib64/ld-linux-x86-64.so.2",
        Arch::Arm64 => "/lib/ld-linux-aarch64.so.1",
        Arch::Arm => "/lib/ld-linux-armhf.so.3",
        Arch::I386 => "/lib/ld-linux.so.2",
        Arch::Ppc64le => "/lib64/ld64.so.2",
        Arch::Riscv64 => "/lib/ld-linux-riscv64-lp64d.so.1",
        Arch::S390x => "/lib/ld64.so.1",
    }
}
