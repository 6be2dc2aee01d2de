//! What a client asks to be run, such as `git-upload-pack 'group/project.git'`.

use git::pack::Service;

/// A command that is served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Command {
    /// A fetch or a push.
    Pack(Service, String),
    /// A token for LFS: path, and whether something is to be uploaded.
    LfsAuthenticate(String, bool),
    /// Something else.
    Unknown(String),
}

impl Command {
    /// Reads a command line. Nothing in it is ever given to a shell.
    pub(super) fn parse(line: &str) -> Self {
        let unknown = || Self::Unknown(line.chars().filter(|c| !c.is_control()).take(80).collect());
        let Some(words) = split(line) else { return unknown() };
        let words: Vec<&str> = words.iter().map(String::as_str).collect();
        match words.as_slice() {
            ["git", verb, path] => {
                Service::parse(&format!("git-{verb}")).map_or_else(unknown, |s| Self::Pack(s, (*path).into()))
            }
            ["git-lfs-authenticate", path, "upload", ..] => Self::LfsAuthenticate((*path).into(), true),
            ["git-lfs-authenticate", path, "download", ..] => Self::LfsAuthenticate((*path).into(), false),
            [name, path] => Service::parse(name).map_or_else(unknown, |s| Self::Pack(s, (*path).into())),
            _ => unknown(),
        }
    }
}

/// Splits a line into words as a POSIX shell would, with quotes and backslashes and nothing else.
fn split(line: &str) -> Option<Vec<String>> {
    let (mut words, mut word, mut quote) = (vec![], None::<String>, None);
    let mut chars = line.chars();
    while let Some(c) = chars.next() {
        match (quote, c) {
            (Some(q), c) if c == q => quote = None,
            (Some('"') | None, '\\') => word.get_or_insert_default().push(chars.next()?),
            (Some(_), c) => word.get_or_insert_default().push(c),
            (None, '\'' | '"') => {
                quote = Some(c);
                word.get_or_insert_default();
            }
            (None, c) if c.is_whitespace() => words.extend(word.take()),
            (None, c) => word.get_or_insert_default().push(c),
        }
    }
    words.extend(word);
    quote.is_none().then_some(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_are_read() {
        let fetch = |path: &str| Command::Pack(Service::UploadPack, path.into());
        assert_eq!(Command::parse("git-upload-pack 'g/p.git'"), fetch("g/p.git"));
        assert_eq!(Command::parse("git upload-pack \"/g/p\""), fetch("/g/p"));
        assert_eq!(Command::parse(r"git-upload-pack 'it'\''s'"), fetch("it's"));
        assert_eq!(
            Command::parse("git-lfs-authenticate g/p.git upload"),
            Command::LfsAuthenticate("g/p.git".into(), true)
        );
        for bad in [
            "",
            "ls",
            "git-upload-pack",
            "git-upload-pack 'a",
            "git-shell x",
            "git-upload-pack a b",
            "git-upload-pack a; ls",
        ] {
            assert!(matches!(Command::parse(bad), Command::Unknown(_)), "{bad}");
        }
    }
}
