//! remint strikes every container image again from clean, trusted, locked sources, bit for bit, with one button.
//!
//! ```text
//! recipe.toml ─parse→ Recipe ─resolve→ Lock ─plan→ Plan ─execute→ ActionResults ─assemble→ Image
//!              pure            network         pure        cache + work              store
//! ```
//!
//! A directory under `src/` is a room. A room imports only rooms on lower floors; the test `floors` reads this table and
//! refuses any other import, so the map is the rule.
//!
//! | floor | room | job | may touch |
//! |---|---|---|---|
//! | 0 | `digest` | names bytes; stable hashing; verifying streams | nothing |
//! | 0 | `disk` | the deeds that change files, which tests make fail | files |
//! | 1 | `oci` | the image-spec's data, canonical JSON | nothing |
//! | 2 | `recipe` | TOML → checked Recipe, with spans | nothing |
//! | 2 | `event` | what a run says, typed | nothing |
//! | 2 | `wire` | connections to servers: through which proxy, whom they trust, how long they wait | network |
//! | 3 | `store` | blobs by digest, action results by key | files |
//! | 3 | `layer` | file tree → format 1 bytes | reads files |
//! | 3 | `registry` | the distribution-spec's client, nothing else; credential helpers are processes | network, files, processes |
//! | 4 | `source` | brings pinned inputs into the store: Debian archives, local trees | network, files |
//! | 5 | `native` | what maintainer scripts would have left behind, made without running them | nothing |
//! | 5 | `lock` | Recipe → exact digests | its file |
//! | 6 | `plan` | Lock → Plan | nothing |
//! | 7 | `build` | executes a Plan in parallel | threads |
//! | 8 | `image` | config, manifest, index, layouts, archives | files |
//! | 9 | `attest` | bytes that say what an image is made of and who vouches for it | nothing |
//! | 9 | `serve` | what the store holds as a registry to pull from, read-only | files, network |
//! | 10 | `publish` | sends what the store holds to registries | files, network |
//! | 10 | `verify` | compares images, explains differences, rebuilds to prove | files |
//! | 11 | `cli` | the only room that prints, reads the environment, or knows the time | terminal, env, clock |

pub mod attest;
pub mod build;
pub mod cli;
pub mod digest;
pub mod disk;
pub mod event;
pub mod image;
pub mod layer;
pub mod lock;
pub mod native;
pub mod oci;
pub mod plan;
pub mod publish;
pub mod recipe;
pub mod registry;
pub mod serve;
pub mod source;
pub mod store;
pub mod verify;
pub mod wire;
