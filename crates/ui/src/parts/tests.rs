use super::*;

#[test]
fn initials_come_from_words() {
    assert_eq!(initials("tamar"), "ta");
    assert_eq!(initials("Ada Lovelace"), "AL");
    assert_eq!(initials(""), "?");
    assert_eq!(colour_class("tamar"), colour_class("tamar"));
}

#[test]
fn colours_cannot_break_out() {
    assert_eq!(safe_colour("#d9534f"), "#d9534f");
    assert_eq!(safe_colour("red"), "red");
    assert_eq!(safe_colour("url(//x)"), "currentColor");
    assert_eq!(safe_colour(""), "currentColor");
}

#[test]
fn paging_leaves_gaps() {
    let html = pages(10, 40, |page| format!("?page={page}")).into_string();
    assert!(html.contains("…") && html.contains("aria-current=\"page\">10<"));
    assert!(pages(1, 1, |_| String::new()).0.is_empty());
}
