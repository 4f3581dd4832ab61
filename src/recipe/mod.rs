//! TOML → checked [`Recipe`]: what the user wants an image to be made of.
//!
//! Invariants: pure, reads no file and no environment; a `Recipe` that exists is well-formed, every name in it is parsed into a type
//! that cannot be wrong; every finding of a file is collected, each with its place. Main entries: [`parse_project`] for
//! remint.toml, [`parse_recipes`] for all recipes together, [`render`] for what is wrong with them.
//!
//! ```text
//! text ─walk→ Table ─head→ Head of every recipe ─inherit→ what each inherits ─layers, config, sources→ Recipe
//! ```

mod accounts;
mod config;
mod copy;
mod debian;
mod draft;
mod finding;
mod head;
mod inherit;
mod later;
mod layers;
mod model;
mod packages;
mod paths;
mod project;
mod publish;
mod reference;
mod render;
mod schema;
mod section;
mod set;
mod signal;
mod sources;
mod suggest;
mod variant;
mod walk;
mod write;

pub use draft::RecipeFile;
pub use finding::{Finding, Findings};
pub use model::*;
pub use project::parse_project;
pub use render::render;
pub use schema::{project_schema, recipe_schema};
pub use set::{Recipes, parse_recipe, parse_recipes};
