//! The classes of causes, and what cures each.

use serde::Serialize;

/// Why two things that should be the same are not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Class {
    /// A date or time that was written down.
    Timestamp,
    /// Where the build stood.
    BuildPath,
    /// The name of the machine.
    HostName,
    /// The name of who built.
    User,
    /// The language or region of who built.
    Locale,
    /// A random number or name.
    RandomId,
    /// The checksum of something else.
    Checksum,
    /// The same parts in another order.
    Order,
    /// Compiled Python.
    Bytecode,
    /// The header of a gzip file.
    GzipHeader,
    /// The records of a zip or jar file about its members.
    ZipHeader,
    /// The headers of a tar archive.
    TarHeader,
    /// The headers of an ar archive: static libraries, Debian packages.
    ArHeader,
    /// The build id of a program or library.
    ElfBuildId,
    /// A program's link to its debugging symbols.
    ElfDebugLink,
    /// The dynamic linker's cache.
    LinkerCache,
    /// What a program logs or keeps for later, and no image needs.
    LogOrCache,
    /// A database's counters of its own changes.
    DatabaseCounter,
    /// The same content, written by another encoder.
    Encoder,
    /// Only the first image has it.
    Missing,
    /// Only the second image has it.
    Additional,
    /// The modification time.
    Mtime,
    /// The owner or group.
    Owner,
    /// The permission bits.
    Mode,
    /// The extended attributes.
    Xattrs,
    /// What a link points at, or which names a file has.
    Link,
    /// What kind of thing it is, or a device's numbers.
    Type,
    /// The image's configuration.
    Configuration,
    /// What the image runs on.
    Platform,
    /// What a document says that something is.
    MediaType,
    /// An attestation beside the image.
    Attestation,
    /// Other content, for no reason that shows.
    Content,
    /// Other content that nobody looked into, so that it has no cause.
    Unread,
}

impl Class {
    /// Every class.
    pub const ALL: [Self; 33] = [
        Self::Timestamp,
        Self::BuildPath,
        Self::HostName,
        Self::User,
        Self::Locale,
        Self::RandomId,
        Self::Checksum,
        Self::Order,
        Self::Bytecode,
        Self::GzipHeader,
        Self::ZipHeader,
        Self::TarHeader,
        Self::ArHeader,
        Self::ElfBuildId,
        Self::ElfDebugLink,
        Self::LinkerCache,
        Self::LogOrCache,
        Self::DatabaseCounter,
        Self::Encoder,
        Self::Missing,
        Self::Additional,
        Self::Mtime,
        Self::Owner,
        Self::Mode,
        Self::Xattrs,
        Self::Link,
        Self::Type,
        Self::Configuration,
        Self::Platform,
        Self::MediaType,
        Self::Attestation,
        Self::Content,
        Self::Unread,
    ];

    /// Its name for people.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::Timestamp => "embedded timestamp",
            Self::BuildPath => "build path",
            Self::HostName => "host name",
            Self::User => "user name",
            Self::Locale => "locale",
            Self::RandomId => "random id",
            Self::Checksum => "checksum",
            Self::Order => "order",
            Self::Bytecode => "Python byte-code",
            Self::GzipHeader => "gzip header",
            Self::ZipHeader => "zip header",
            Self::TarHeader => "tar header",
            Self::ArHeader => "ar header",
            Self::ElfBuildId => "ELF build id",
            Self::ElfDebugLink => "ELF debug link",
            Self::LinkerCache => "linker cache",
            Self::LogOrCache => "log or cache",
            Self::DatabaseCounter => "database counter",
            Self::Encoder => "other encoder",
            Self::Missing => "missing",
            Self::Additional => "additional",
            Self::Mtime => "modification time",
            Self::Owner => "owner",
            Self::Mode => "mode",
            Self::Xattrs => "extended attributes",
            Self::Link => "link",
            Self::Type => "type",
            Self::Configuration => "configuration",
            Self::Platform => "platform",
            Self::MediaType => "media type",
            Self::Attestation => "attestation",
            Self::Content => "other content",
            Self::Unread => "not looked into",
        }
    }

    /// What to change in a recipe or a Dockerfile.
    #[must_use]
    pub const fn cure(self) -> &'static str {
        match self {
            Self::Timestamp => {
                "have the tool write SOURCE_DATE_EPOCH in place of the clock: in a recipe, where a file that a `copy` layer takes is made, or `write` the file with a fixed date; in a Dockerfile: `ARG SOURCE_DATE_EPOCH`, and pass it to the tool; for the image's own dates: `--build-arg SOURCE_DATE_EPOCH=…` (buildkit), `--timestamp` (podman, buildah)"
            }
            Self::BuildPath => {
                "build at a fixed path, or map it away: `-ffile-prefix-map=$PWD=.`, `--remap-path-prefix`, `go build -trimpath`"
            }
            Self::HostName => {
                "do not write down the machine's name where the file is made, or leave the file out: `exclude` of a `copy` layer, .dockerignore"
            }
            Self::User => {
                "do not write down who builds: set the option of the tool that makes the file; the users of an image are named in the recipe"
            }
            Self::Locale => "set `LC_ALL=C.UTF-8` for the tool that writes it, and sort bytewise",
            Self::RandomId => {
                "seed the generator from the content or a constant, write the id when the container starts, or leave the file out: `exclude` of a `copy` layer, `rm` in the step that makes it"
            }
            Self::Checksum => "it follows from what it is the checksum of: mend that",
            Self::Order => {
                "sort the list before it is written (`sort` with `LC_ALL=C`); do not rely on directory or hash-map order"
            }
            Self::Bytecode => {
                "set `PYTHONDONTWRITEBYTECODE=1` and remove `__pycache__`, or compile with `--invalidation-mode unchecked-hash` at a fixed path"
            }
            Self::GzipHeader => "compress with `gzip -n`, so that no name and no time are stored",
            Self::ZipHeader => {
                "zip with fixed times, order and modes: `zip -X` over sorted names after `touch -d @$SOURCE_DATE_EPOCH`, or `strip-nondeterminism`"
            }
            Self::TarHeader => {
                "archive with `tar --sort=name --mtime=@$SOURCE_DATE_EPOCH --owner=0 --group=0 --numeric-owner --format=gnu`"
            }
            Self::ArHeader => "make static libraries with `ar D` (`ARFLAGS=Drc`) and `ranlib -D`",
            Self::ElfBuildId => {
                "it follows from what else differs in the program; where nothing else does, link with the same `--build-id`"
            }
            Self::ElfDebugLink => {
                "strip and split symbols at a fixed path with the same tools, or remove `.gnu_debuglink`"
            }
            Self::LinkerCache => {
                "leave the cache out of `copy` layers: `packages` layers write it in a fixed order; in a Dockerfile, remove `/etc/ld.so.cache` and `/var/cache/ldconfig` in the step that runs ldconfig"
            }
            Self::LogOrCache => {
                "leave it out: `exclude` of a `copy` layer, .dockerignore; in a Dockerfile, remove it in the step that makes it (`rm -rf /var/lib/apt/lists/* /var/log/* /var/cache/*`)"
            }
            Self::DatabaseCounter => "write the database in one go from sorted statements (`.dump` into a new file)",
            Self::Encoder => "pin the encoder and its level; the content is the same",
            Self::Missing | Self::Additional => {
                "find the layer or step that makes it: what a `copy` layer takes is another tree, a base or a package is another one (`remint.lock`), or a step depends on when and where it runs"
            }
            Self::Mtime => {
                "layers of recipes have fixed times, that of the lock; in a Dockerfile, set them at the end of the step (`find … -exec touch -hd @$SOURCE_DATE_EPOCH {} +`); buildkit: `rewrite-timestamp=true`, podman and buildah: `--timestamp`"
            }
            Self::Owner => "name the owner: `owner` of a `copy` layer, `COPY --chown`; do not depend on who builds",
            Self::Mode => {
                "name the mode: `mode` of a `write` layer, `COPY --chmod`; do not depend on the umask or the checkout"
            }
            Self::Xattrs => {
                "set or remove the attributes where the file is made; they come from the file system or the policy of the machine"
            }
            Self::Link => "make the link with a fixed target; copy with `cp -a`, so that files of two names stay one",
            Self::Type => {
                "find what makes it, the tree that a `copy` layer takes or a step: it makes another kind of thing each time"
            }
            Self::Configuration => {
                "what runs: say it in the recipe's `[config]`, or in the Dockerfile, with a fixed value; what a manifest or an index says besides (annotations, `subject`) is the word of the tool that wrote it: write both with the same one and the same options"
            }
            Self::Platform => {
                "build both for the same platform: `platforms` of a recipe, `--platform` of remint, docker, podman and buildah"
            }
            Self::MediaType => {
                "nothing in a recipe: it is the word of the tool that wrote the image; write both with the same one"
            }
            Self::Attestation => {
                "build with `--provenance=false --sbom=false`, or compare the platforms' images: `--platform`"
            }
            Self::Unread => "cure the causes of the other files first, then compare again",
            Self::Content => {
                "find what its step reads that is not locked: a changed tree behind a `copy` layer, another base, a newer package (`remint.lock`); in a Dockerfile also the network, the kernel, the number of cores"
            }
        }
    }
}
