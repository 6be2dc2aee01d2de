//! Stands in for the product's binary as the job's first process, so that this crate tests itself.

fn main() {
    sandbox::init_main();
}
