use super::{evaluate, parse};

fn holds(source: &str) -> bool {
    let lookup = |name: &str| {
        Some(
            match name {
                "BRANCH" | "SAME" => "main",
                "EMPTY" => "",
                "BLANK" => " ",
                "NUMBER" => "23",
                "PATTERN" => "/^ma.*/",
                "CASED" => "/^MA/i",
                "BROKEN" => "/(/",
                "URL" => "a/b",
                _ => return None,
            }
            .to_owned(),
        )
    };
    evaluate(source, &lookup).unwrap_or_else(|error| panic!("{source}: {error}"))
}

#[test]
fn conditions_hold() {
    for source in [
        "$BRANCH",
        "$BRANCH == 'main'",
        "$BRANCH == \"main\"",
        "\"main\" == $BRANCH",
        "$BRANCH == $SAME",
        "$NONE == null",
        "$EMPTY != null",
        "$EMPTY == ''",
        "$NONE != ''",
        "$BRANCH =~ /^ma/",
        "$BRANCH =~ /MAIN/i",
        "$BRANCH !~ /^dev/",
        "$BRANCH =~ $PATTERN",
        "$BRANCH =~ $CASED",
        "$URL =~ /a\\/b/",
        "$NONE !~ $NONE",
        "$NUMBER =~ '1234'",
        "'23' =~ '1234'",
        "$NONE =~ /^$|x/",
        "$NONE || $BRANCH",
        "$BRANCH == 'x' || $BRANCH == 'main' && $NUMBER",
        "($BRANCH == 'x' || $BRANCH == 'main') && $NUMBER == '23'",
        "(($BRANCH))",
        "$BRANCH==\"main\"&&$NUMBER",
        "/pattern/",
    ] {
        assert!(holds(source), "{source}");
    }
}

#[test]
fn conditions_fail() {
    for source in [
        "$NONE",
        "$EMPTY",
        "$BLANK",
        "null",
        "$BRANCH == null",
        "$NONE == ''",
        "$BRANCH =~ $NONE",
        "$BRANCH =~ $BROKEN",
        "'23' =~ /1234/",
        "$BRANCH && $NONE",
        "$BRANCH == 'x' && ($NUMBER || $BRANCH)",
        "$BRANCH != 'main'",
        "$BRANCH !~ /main/",
    ] {
        assert!(!holds(source), "{source}");
    }
}

#[test]
fn malformed_conditions_are_refused() {
    for source in [
        "",
        "  ",
        "$",
        "$A ==",
        "== $A",
        "$A = 'x'",
        "$A & $B",
        "$A $B",
        "($A",
        "$A)",
        "()",
        "$A =~ /x/",
        "$A =~ /(/",
        "$A == 'x",
        "true",
        "nullable",
        "$A && || $B",
        "$A =~ /a{1000}{1000}{1000}/",
        "é",
        "/",
        "/\\/",
    ] {
        assert!(parse(source).is_err(), "{source}");
    }
    assert!(parse(&"(".repeat(100_000)).is_err());
    assert!(parse(&format!("{}$A", "$A && ".repeat(10_000))).is_ok());
}

#[test]
fn errors_name_the_place() {
    let error = parse("$A == 'é' ? $B").expect_err("refused");
    assert_eq!(error.to_string(), "unexpected `? $B` at character 11");
}
