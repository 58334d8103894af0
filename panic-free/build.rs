//! Hands the linker its script, wherever cargo is called from.

fn main() {
    let folder = std::env::var("CARGO_MANIFEST_DIR").expect("cargo sets it");
    println!("cargo::rustc-link-search={folder}");
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    for function in ["memalign", "malloc", "free", "realloc", "calloc"] {
        println!("cargo::rustc-link-arg-bins=--defsym={function}=0");
    }
    println!("cargo::rerun-if-changed=memory.x");
}
