//! The OpenAPI document that the program serves is whole and consistent.

#[test]
fn the_document_of_the_program_is_whole() {
    let slices = server::compose::slices();
    let endpoints = slices.iter().flat_map(|s| &s.api).flat_map(|a| &a.endpoints);
    let document = kernel::api::openapi(endpoints, "http://127.0.0.1:8080");
    let findings: Vec<String> = xtask::openapi::check_document(&document).iter().map(ToString::to_string).collect();
    assert!(findings.is_empty(), "{}", findings.join("\n"));
}
