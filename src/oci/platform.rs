//! Platforms: the operating system is always Linux; the architecture has a name in OCI and another in Debian.

use std::fmt;
use std::str::FromStr;

/// A processor architecture that images can be made for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Arch {
    /// 64-bit x86.
    Amd64,
    /// 64-bit Arm.
    Arm64,
    /// 32-bit Arm with hardware floating point.
    Arm,
    /// 32-bit x86.
    I386,
    /// 64-bit little-endian PowerPC.
    Ppc64le,
    /// 64-bit RISC-V.
    Riscv64,
    /// IBM Z.
    S390x,
}

impl Arch {
    /// Every architecture, in the order of their OCI names.
    pub const ALL: [Self; 7] =
        [Self::I386, Self::Amd64, Self::Arm, Self::Arm64, Self::Ppc64le, Self::Riscv64, Self::S390x];

    /// The name in an OCI configuration: Go's `GOARCH` (OCI image-spec, config.md, "architecture").
    #[must_use]
    pub const fn oci(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
            Self::Arm => "arm",
            Self::I386 => "386",
            Self::Ppc64le => "ppc64le",
            Self::Riscv64 => "riscv64",
            Self::S390x => "s390x",
        }
    }

    /// The variant in an OCI platform, where the specification wants one (image-index.md, "Platform Variants").
    #[must_use]
    pub const fn variant(self) -> Option<&'static str> {
        match self {
            Self::Arm => Some("v7"),
            Self::Arm64 => Some("v8"),
            _ => None,
        }
    }

    /// The name in Debian's archive (Debian policy 11.1; `dpkg-architecture -L`).
    #[must_use]
    pub const fn debian(self) -> &'static str {
        match self {
            Self::Amd64 => "amd64",
            Self::Arm64 => "arm64",
            Self::Arm => "armhf",
            Self::I386 => "i386",
            Self::Ppc64le => "ppc64el",
            Self::Riscv64 => "riscv64",
            Self::S390x => "s390x",
        }
    }

    /// The multi-arch directory below `/usr/lib` (Debian policy 9.1.1; `dpkg-architecture -qDEB_HOST_MULTIARCH`).
    #[must_use]
    pub const fn multiarch(self) -> &'static str {
        match self {
            Self::Amd64 => "x86_64-linux-gnu",
            Self::Arm64 => "aarch64-linux-gnu",
            Self::Arm => "arm-linux-gnueabihf",
            Self::I386 => "i386-linux-gnu",
            Self::Ppc64le => "powerpc64le-linux-gnu",
            Self::Riscv64 => "riscv64-linux-gnu",
            Self::S390x => "s390x-linux-gnu",
        }
    }
}

/// What an image runs on, written `linux/<arch>`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Platform {
    /// The processor architecture.
    pub arch: Arch,
}

/// The text is no platform that remint can build for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{text}` is not a platform that remint knows: expected one of {}", Platform::names().join(", "))]
pub struct UnknownPlatform {
    /// What was given.
    pub text: String,
}

impl Platform {
    /// The names of all platforms.
    #[must_use]
    pub fn names() -> Vec<String> {
        Arch::ALL.iter().map(|&arch| Self { arch }.to_string()).collect()
    }
}

impl fmt::Display for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "linux/{}", self.arch.oci())
    }
}

impl fmt::Debug for Platform {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for Platform {
    type Err = UnknownPlatform;

    /// Reads `linux/<arch>`, also with the variant that the specification gives that architecture.
    fn from_str(text: &str) -> Result<Self, UnknownPlatform> {
        Arch::ALL
            .iter()
            .map(|&arch| Self { arch })
            .find(|platform| {
                let name = platform.to_string();
                text == name || platform.arch.variant().is_some_and(|variant| text == format!("{name}/{variant}"))
            })
            .ok_or_else(|| UnknownPlatform { text: text.to_owned() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_read_back() {
        for name in Platform::names() {
            assert_eq!(name.parse::<Platform>().unwrap().to_string(), name);
        }
        assert_eq!("linux/arm64/v8".parse::<Platform>().unwrap().arch, Arch::Arm64);
        for wrong in ["", "amd64", "linux", "linux/x86_64", "linux/arm64/v9", "windows/amd64"] {
            assert!(wrong.parse::<Platform>().is_err(), "{wrong}");
        }
    }
}
