//! Writes the JavaScript module that loads a compiled `postcode-wasm`: `wasm-bindgen --target web` as a program.
//!
//! It is a program of this workspace and not an installed one, so that the lock file pins it: the versions of
//! wasm-bindgen on both sides must be equal.

use std::path::PathBuf;

use anyhow::Context;
use wasm_bindgen_cli_support::Bindgen;

fn main() -> anyhow::Result<()> {
    let mut paths = std::env::args_os().skip(1).map(PathBuf::from);
    let (Some(compiled), Some(folder), None) = (paths.next(), paths.next(), paths.next()) else {
        anyhow::bail!("give two paths: the compiled module, and the folder for what is written");
    };
    Bindgen::new()
        .input_path(&compiled)
        .web(true)?
        .typescript(true)
        .remove_name_section(true)
        .remove_producers_section(true)
        .omit_default_module_path(true)
        .generate(&folder)
        .with_context(|| format!("{}: can't write the bindings", compiled.display()))
}
