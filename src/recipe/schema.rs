//! The shape of both files as types, from which the JSON Schemas for editors are made.
//!
//! The checks do not use these types, since serde stops at the first error. Tests hold the two together: every table here has the
//! keys of its [`super::section::Section`], and what the checks accept, the schema accepts. What this version refuses as "not in
//! this version" is not in the schema, so that no editor offers it.
#![expect(dead_code, reason = "the types are the shape of a file; no value of them is ever made")]

use schemars::generate::SchemaSettings;
use schemars::transform::RecursiveTransform;
use schemars::{JsonSchema, Schema};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// The JSON Schema (draft 2020-12) of recipe.toml, as `schema/recipe.schema.json` has it.
#[must_use]
pub fn recipe_schema() -> String {
    text_of::<RecipeFile>()
}

/// The JSON Schema (draft 2020-12) of remint.toml, as `schema/remint.schema.json` has it.
#[must_use]
pub fn project_schema() -> String {
    text_of::<ProjectFile>()
}

fn text_of<T: JsonSchema>() -> String {
    let settings = SchemaSettings::draft2020_12().with_transform(RecursiveTransform(without_null));
    let schema = settings.into_generator().into_root_schema_for::<T>();
    let mut text = serde_json::to_string_pretty(&schema).expect("a schema is JSON");
    text.push('\n');
    text
}

/// TOML has no null: a key that may be absent is absent.
fn without_null(schema: &mut Schema) {
    let is_null = |value: &Value| *value == json!("null") || value.get("type") == Some(&json!("null"));
    if let Some(Value::Array(types)) = schema.get_mut("type") {
        types.retain(|name| !is_null(name));
        if let [only] = &types[..] {
            let only = only.clone();
            schema.insert("type".to_owned(), only);
        }
    }
    if let Some(Value::Array(choices)) = schema.get_mut("anyOf") {
        let before = choices.len();
        choices.retain(|choice| !is_null(choice));
        if let (true, [Value::Object(only)]) = (choices.len() < before, &choices[..]) {
            let only = only.clone();
            schema.remove("anyOf");
            for (key, value) in only {
                schema.insert(key, value);
            }
        }
    }
}

const NAME: &str = r"^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*$";
const ACCOUNT: &str = r"^[a-z_][a-z0-9_-]{0,31}$";
const OWNER: &str = r"^([0-9]+|[a-z_][a-z0-9_-]*)(:([0-9]+|[a-z_][a-z0-9_-]*))?$";
const MODE: &str = "^[0-7]{3,4}$";
const ABSOLUTE: &str = "^/";
const RELATIVE: &str = "^[^/]";
const PACKAGE: &str = r"^[a-z0-9][a-z0-9+.-]+(=[0-9*][A-Za-z0-9.+~:*-]*)?$";
const HTTP: &str = "^https?://[^/]";
/// An address of a dated archive.
const DATED: &str = r"^https?://[^/].*\{date\}";
const PORT: &str = "^[1-9][0-9]{0,4}(/(tcp|udp|sctp))?$";
const SIGNAL: &str = "^SIG[A-Z0-9]+([+-][0-9]+)?$";

/// One image: what it is made of and how it runs. The image's name is the name of the folder that the file is in.
#[derive(JsonSchema)]
#[schemars(title = "recipe.toml", deny_unknown_fields)]
struct RecipeFile {
    /// What the image starts from: another recipe's name, `registry/name:tag`, `oci:DIR` or `docker-archive:FILE`. Absent: nothing.
    #[schemars(length(min = 1))]
    from: Option<String>,
    /// What the image is made for. Absent: what remint.toml says.
    #[schemars(length(min = 1))]
    platforms: Option<Vec<Platform>>,
    /// How layers are compressed. Absent: what remint.toml says.
    compression: Option<Compression>,
    /// The layers, the lowest first.
    layer: Option<Vec<Layer>>,
    /// What layers may take from elsewhere, by name.
    sources: Option<BTreeMap<Name, Source>>,
    /// Users that the image gets, by name.
    users: Option<BTreeMap<Account, User>>,
    /// Groups that the image gets beyond those of its users: name and number.
    groups: Option<BTreeMap<Account, Id>>,
    /// How containers of the image run: the OCI image configuration.
    config: Option<Config>,
}

/// A name of lower-case letters and digits, with `.`, `_` or `-` between them.
#[derive(JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
struct Name(#[schemars(regex(pattern = NAME))] String);

/// A user's or group's name.
#[derive(JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
struct Account(#[schemars(regex(pattern = ACCOUNT))] String);

/// A user's or group's number.
#[derive(JsonSchema)]
struct Id(#[schemars(range(max = 4_294_967_294_u32))] u32);

/// An operating system and an architecture by their OCI names.
#[derive(JsonSchema)]
enum Platform {
    #[schemars(rename = "linux/386")]
    I386,
    #[schemars(rename = "linux/amd64")]
    Amd64,
    #[schemars(rename = "linux/arm")]
    Arm,
    #[schemars(rename = "linux/arm/v7")]
    ArmV7,
    #[schemars(rename = "linux/arm64")]
    Arm64,
    #[schemars(rename = "linux/arm64/v8")]
    Arm64V8,
    #[schemars(rename = "linux/ppc64le")]
    Ppc64le,
    #[schemars(rename = "linux/riscv64")]
    Riscv64,
    #[schemars(rename = "linux/s390x")]
    S390x,
}

/// How a layer is compressed.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Compression {
    /// zstd: small and fast; the default.
    Zstd,
    /// gzip: for clients that know no zstd.
    Gzip,
}

/// One layer: exactly one of `packages`, `copy` and `write`.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Layer {
    Packages(PackagesLayer),
    Copy(CopyLayer),
    Write(WriteLayer),
}

/// Debian packages with what they need.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct PackagesLayer {
    /// Packages: `name`, `name=version` or `name=1.22.*`.
    packages: Vec<Package>,
    /// The archive's table in remint.toml. Absent: `debian`.
    archive: Option<String>,
    /// Whether all Essential packages are taken too. Absent: false.
    essential: Option<bool>,
    /// Whether what the packages depend on is taken too. Absent: true.
    dependencies: Option<bool>,
    /// What is left out: `doc`, `man`, `locale`, or globs of absolute paths.
    exclude: Option<Vec<Exclude>>,
    /// How the packages are configured. Absent: `native`.
    configure: Option<Configure>,
}

/// A package: `name`, `name=version` or `name=1.22.*`.
#[derive(JsonSchema)]
struct Package(#[schemars(regex(pattern = PACKAGE))] String);

/// What a `packages` layer leaves out.
#[derive(JsonSchema)]
struct Exclude(#[schemars(regex(pattern = "^(doc|man|locale|/.*)$"))] String);

/// How unpacked packages are configured.
#[derive(JsonSchema)]
#[schemars(rename_all = "lowercase")]
enum Configure {
    /// By remint's own steps, without running anything.
    Native,
    /// Not at all: only unpacked.
    None,
}

/// A file or folder that stands beside the recipe.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct CopyLayer {
    /// What is copied: a path relative to the recipe's folder, inside the project.
    #[schemars(regex(pattern = RELATIVE))]
    copy: String,
    /// Where it goes: the path in the image that the file or folder itself gets.
    #[schemars(regex(pattern = "^/$|^/.*[^/]$"))]
    to: String,
    /// Who owns it: `user`, `user:group`, `uid` or `uid:gid`. Absent: root.
    #[schemars(regex(pattern = OWNER))]
    owner: Option<String>,
    /// The permission bits of every file, octal: `0644`. Absent: 0644, or 0755 where the owner may execute it.
    #[schemars(regex(pattern = MODE))]
    mode: Option<String>,
    /// Globs of what is left out, relative to what is copied.
    exclude: Option<Vec<RelativeGlob>>,
}

/// A glob that is relative and stays inside.
#[derive(JsonSchema)]
struct RelativeGlob(#[schemars(regex(pattern = RELATIVE))] String);

/// Files, links and directories that stand in the recipe itself.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct WriteLayer {
    /// What is written, by its absolute path.
    #[schemars(extend("minProperties" = 1))]
    write: BTreeMap<ImagePath, Written>,
}

/// An absolute path in the image.
#[derive(JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
struct ImagePath(#[schemars(regex(pattern = ABSOLUTE))] String);

/// A file, a link or a directory.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Written {
    /// The text of a file that root owns, with mode 0644.
    Plain(String),
    Text(WrittenText),
    Link(WrittenLink),
    Directory(WrittenDirectory),
}

/// A file.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct WrittenText {
    /// What the file holds.
    text: String,
    /// Who owns it: `user`, `user:group`, `uid` or `uid:gid`. Absent: root.
    #[schemars(regex(pattern = OWNER))]
    owner: Option<String>,
    /// The permission bits, octal. Absent: `0644`.
    #[schemars(regex(pattern = MODE))]
    mode: Option<String>,
}

/// A symbolic link.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct WrittenLink {
    /// What it points at, as it is written into the link.
    #[schemars(length(min = 1))]
    link: String,
    /// Who owns it: `user`, `user:group`, `uid` or `uid:gid`. Absent: root.
    #[schemars(regex(pattern = OWNER))]
    owner: Option<String>,
}

/// A directory.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct WrittenDirectory {
    /// `true`: it is a directory.
    #[schemars(extend("const" = true))]
    directory: bool,
    /// Who owns it: `user`, `user:group`, `uid` or `uid:gid`. Absent: root.
    #[schemars(regex(pattern = OWNER))]
    owner: Option<String>,
    /// The permission bits, octal. Absent: `0755`.
    #[schemars(regex(pattern = MODE))]
    mode: Option<String>,
}

/// A source that layers may take from.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Source {
    Url(UrlSource),
    Git(GitSource),
    Path(PathSource),
}

/// A file at a URL.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct UrlSource {
    /// Where the file is.
    #[schemars(regex(pattern = HTTP))]
    url: String,
    /// What the file must hash to, 64 hex digits. Absent: what the lock says.
    #[schemars(regex(pattern = "^(sha256:)?[0-9a-f]{64}$"))]
    sha256: Option<String>,
}

/// A git repository at a revision.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct GitSource {
    /// Where the repository is.
    #[schemars(regex(pattern = "^(https?|ssh|git)://[^/]"))]
    git: String,
    /// A commit, tag or branch.
    #[schemars(length(min = 1))]
    rev: String,
}

/// A file or folder beside the recipe.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct PathSource {
    /// A path relative to the recipe's folder, inside the project.
    #[schemars(regex(pattern = RELATIVE))]
    path: String,
}

/// A user that the image gets.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct User {
    /// The user's number.
    uid: Id,
    /// The number of the primary group. Absent: the user's number.
    gid: Option<Id>,
    /// The home directory, which is not made. Absent: `/nonexistent`.
    #[schemars(regex(pattern = "^/[^:]*$"))]
    home: Option<String>,
    /// The login shell. Absent: `/usr/sbin/nologin`.
    #[schemars(regex(pattern = "^/[^:]*$"))]
    shell: Option<String>,
    /// The comment field.
    #[schemars(regex(pattern = "^[^:]*$"))]
    comment: Option<String>,
}

/// The OCI image configuration, over what the base has.
#[derive(JsonSchema)]
#[schemars(rename_all = "kebab-case", deny_unknown_fields)]
struct Config {
    /// Who processes run as: `user`, `user:group`, `uid` or `uid:gid`.
    #[schemars(regex(pattern = OWNER))]
    user: Option<String>,
    /// Ports that containers listen on: `8080` or `"8080/udp"`.
    exposed_ports: Option<Vec<Port>>,
    /// Environment variables, over the base's name by name.
    env: Option<BTreeMap<EnvName, String>>,
    /// The command that containers run. Setting it drops the base's `cmd`.
    entrypoint: Option<Vec<String>>,
    /// Arguments of `entrypoint`, or the command where there is none.
    cmd: Option<Vec<String>>,
    /// Directories whose content outlives the container, added to the base's.
    volumes: Option<Vec<ImagePath>>,
    /// The directory that processes start in.
    #[schemars(regex(pattern = ABSOLUTE))]
    working_dir: Option<String>,
    /// Labels, over the base's name by name.
    labels: Option<BTreeMap<LabelName, String>>,
    /// The signal that asks the container to stop: `SIGTERM`.
    #[schemars(regex(pattern = SIGNAL))]
    stop_signal: Option<String>,
}

/// The name of an environment variable.
#[derive(JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
struct EnvName(#[schemars(regex(pattern = "^[^=]+$"))] String);

/// The name of a label.
#[derive(JsonSchema, PartialEq, Eq, PartialOrd, Ord)]
struct LabelName(#[schemars(regex(pattern = "^.+$"))] String);

/// A port that containers listen on.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Port {
    /// A TCP port.
    Number(#[schemars(range(min = 1, max = 65535))] u16),
    /// A port with its protocol.
    Text(#[schemars(regex(pattern = PORT))] String),
}

/// Settings that all recipes of a project share.
#[derive(JsonSchema)]
#[schemars(title = "remint.toml", deny_unknown_fields)]
struct ProjectFile {
    /// Globs of recipe files, relative to the project. Absent: `recipes/*/recipe.toml`.
    #[schemars(length(min = 1))]
    recipes: Option<Vec<RelativeGlob>>,
    /// What images are made for whose recipe does not say. Absent: `linux/amd64`.
    #[schemars(length(min = 1))]
    platforms: Option<Vec<Platform>>,
    /// How layers are compressed whose recipe does not say. Absent: `zstd`.
    compression: Option<Compression>,
    /// Where packages come from, by name; `debian` is there without being written.
    archive: Option<BTreeMap<Name, Archive>>,
    /// Where images are published.
    publish: Option<Publish>,
    /// How registries are reached, by host: `registry.example`, `localhost:5000`.
    registry: Option<BTreeMap<String, Registry>>,
}

/// Where images are published.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Publish {
    /// The repository; `{recipe}` in it stands for the image's name, which else is added behind a slash.
    #[schemars(length(min = 1))]
    to: Option<String>,
    /// Tags; `{date}`, `{git}`, `{recipe}` and `{lock}` stand for the image's date, the commit, the image's name and the lock's digest.
    tags: Option<Vec<String>>,
}

/// How a registry is reached.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields, rename_all = "kebab-case")]
struct Registry {
    /// Where to look first for what it holds: `host` or `host/prefix`, in this order.
    mirrors: Option<Vec<String>>,
    /// Whether it is spoken to without TLS.
    plain_http: Option<bool>,
}

/// A Debian archive.
#[derive(JsonSchema)]
#[schemars(deny_unknown_fields)]
struct Archive {
    /// Suites, later ones over earlier ones. Absent, in `debian` only: `trixie`, `trixie-updates`, `trixie-security`.
    #[schemars(length(min = 1))]
    suites: Option<Vec<ArchiveWord>>,
    /// Components. Absent: `main`.
    #[schemars(length(min = 1))]
    components: Option<Vec<ArchiveWord>>,
    /// The address of a mirror, or a list of them, tried in order. Absent: the environment's, else the host's.
    mirror: Option<Mirror>,
    /// A keyring, relative to the project. Absent: the keys that remint ships.
    #[schemars(regex(pattern = RELATIVE))]
    keyring: Option<String>,
    /// The address of a dated archive, or a list of them, tried in order for packages that no mirror has any more. `{date}` stands
    /// for a moment, `{archive}` for `debian` or `debian-security`.
    snapshot: Option<Snapshot>,
}

/// One dated archive or several.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Snapshot {
    /// One dated archive.
    One(#[schemars(regex(pattern = DATED))] String),
    /// Several, tried in order.
    Several(#[schemars(length(min = 1))] Vec<DatedAddress>),
}

/// An address with a place for the date.
#[derive(JsonSchema)]
struct DatedAddress(#[schemars(regex(pattern = DATED))] String);

/// The name of a suite or component.
#[derive(JsonSchema)]
struct ArchiveWord(
    #[schemars(regex(pattern = "^[A-Za-z0-9][A-Za-z0-9._+~-]*(/[A-Za-z0-9][A-Za-z0-9._+~-]*)*$"))] String,
);

/// One address or several.
#[derive(JsonSchema)]
#[schemars(untagged)]
enum Mirror {
    /// One mirror.
    One(#[schemars(regex(pattern = HTTP))] String),
    /// Several, tried in order.
    Several(#[schemars(length(min = 1))] Vec<Address>),
}

/// An address.
#[derive(JsonSchema)]
struct Address(#[schemars(regex(pattern = HTTP))] String);
