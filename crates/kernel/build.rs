//! Has the crate built anew when a migration is added: files are embedded, and the compiler watches only known ones.

fn main() {
    println!("cargo::rerun-if-changed=../../migrations");
}
