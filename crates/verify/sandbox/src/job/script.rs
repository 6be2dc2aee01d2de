use super::log::{GREEN, RESET};

/// Assembles shell source that shows each line before it runs it and stops at the first failure.
pub(super) fn assemble<'a>(lines: impl IntoIterator<Item = &'a String>, trace: bool) -> String {
    // Read by bash as well as by a plain sh, whose `set` may know no pipefail.
    let mut source = "if (set -o pipefail) 2>/dev/null; then set -o pipefail; fi\nset -e\nset +C\n".to_owned();
    if trace {
        source.push_str("set -x\n");
    }
    for line in lines.into_iter().filter(|l| !l.trim().is_empty()) {
        source.push_str(&echo(line));
        source.push_str(line);
        source.push('\n');
    }
    source
}

fn echo(line: &str) -> String {
    let line = line.trim_end();
    let shown = match line.split_once('\n') {
        Some((first, _)) => format!("{first} # collapsed multi-line command"),
        None => line.to_owned(),
    };
    format!("printf '%s\\n' {}\n", quote(&format!("{GREEN}$ {shown}{RESET}")))
}

/// Quotes a word for the shell.
pub(super) fn quote(word: &str) -> String {
    format!("'{}'", word.replace('\'', r"'\''"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_shown_and_run() {
        let source =
            assemble(&["echo 'a'".to_owned(), " ".to_owned(), "for i in 1; do\n echo $i\ndone".to_owned()], false);
        let (_, body) = source.split_once("set +C\n").unwrap();
        assert_eq!(
            body,
            "printf '%s\\n' '\x1b[32;1m$ echo '\\''a'\\''\x1b[0;m'\necho 'a'\n\
             printf '%s\\n' '\x1b[32;1m$ for i in 1; do # collapsed multi-line command\x1b[0;m'\nfor i in 1; do\n echo $i\ndone\n"
        );
    }

    #[test]
    fn tracing_is_switched_on_first() {
        assert!(assemble(&["true".to_owned()], true).contains("set -x\nprintf"));
    }
}
