//! Finds out whether the packed country is there; without it the crate builds, and says so when asked for it.
fn main() {
    println!("cargo::rerun-if-changed=data/gb.pack");
    println!("cargo::rustc-check-cfg=cfg(gb_pack)");
    if std::path::Path::new("data/gb.pack").exists() {
        println!("cargo::rustc-cfg=gb_pack");
    }
}
