//! The arguments of `remint verify` for images in registries: whose words count, and whether to add one's own.

use clap::{Args, ValueHint};
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// What is asked of those who vouch for an image in a registry.
#[derive(Debug, Clone, Default, PartialEq, Eq, Args)]
#[command(next_help_heading = "Images in a registry")]
pub struct Vouch {
    /// The recipe that makes it [default: what `[publish] to` sends there, else the repository's last part]
    #[arg(long = "as", value_name = "IMAGE")]
    pub recipe: Option<String>,
    /// Fail unless this public key (SPKI in PEM) signed it, and show what it vouches for; of several, one has to have signed
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub key: Vec<PathBuf>,
    /// Build nothing: fail unless so many of the keys vouch for having rebuilt it bit for bit
    #[arg(long, value_name = "K", requires = "key", conflicts_with_all = ["seed", "offline"])]
    pub require_rebuilds: Option<NonZeroUsize>,
    /// Attach a signed statement that it was rebuilt, once it was and is identical
    #[arg(long, requires = "sign_key", conflicts_with_all = ["quick", "require_rebuilds", "platform"])]
    pub attest: bool,
    /// Sign that with this private key (PKCS#8 in PEM): a file, `env://NAME`, or `exec:COMMAND`, which prints it
    #[arg(long, value_name = "KEY", requires = "attest")]
    pub sign_key: Option<String>,
    /// Who rebuilt it, as a URI, over `REMINT_BUILDER_ID`.
    #[arg(help = "Who rebuilt it, as a URI, in that statement [env: REMINT_BUILDER_ID]")]
    #[arg(long, value_name = "URI", requires = "attest")]
    pub rebuilder_id: Option<String>,
}
