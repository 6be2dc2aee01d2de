//! `docs/pipelines.md` lists the keywords that are accepted and not carried out. `just docs` writes the list anew.

use ci_yaml::keywords::ACCEPTED_ONLY;

const FILE: &str = "docs/pipelines.md";
const BEGIN: &str = "<!-- keywords: written by `just docs` -->\n";
const END: &str = "<!-- end of keywords -->";

#[test]
fn the_list_of_keywords_is_current() {
    let path = xtask::root().unwrap().join(FILE);
    let page = std::fs::read_to_string(&path).unwrap();
    let (before, rest) = page.split_once(BEGIN).expect("the page has the mark where the list begins");
    let (_, after) = rest.split_once(END).expect("the page has the mark where the list ends");
    let rows: String =
        ACCEPTED_ONLY.iter().map(|(keyword, instead)| format!("| `{keyword}` | {instead} |\n")).collect();
    let wanted = format!("{before}{BEGIN}\n| Keyword | What happens |\n|---|---|\n{rows}\n{END}{after}");
    if std::env::var_os("TIDEMILL_WRITE_DOCS").is_some() {
        std::fs::write(&path, &wanted).unwrap();
    }
    let found = std::fs::read_to_string(&path).unwrap();
    assert!(found == wanted, "{FILE} does not list what the code lists; run `just docs`");
}
