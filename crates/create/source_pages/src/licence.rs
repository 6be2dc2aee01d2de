//! Which licence a repository comes with, told by the words of its licence file.

use std::sync::LazyLock;

use git::tree::Entry;
use git::{ByteString, Oid};
use kernel::Result;
use moka::sync::Cache;

use crate::place::{OrNothing, Spot};

const MOST: u64 = 128 << 10;

static KNOWN: LazyLock<Cache<Oid, Option<&'static str>>> = LazyLock::new(|| Cache::new(2_000));

/// Names of licences and the words that tell them from others; all must occur, the more particular ones come first.
const SIGNS: &[(&str, &[&str])] = &[
    ("AGPL-3.0", &["gnu affero general public license", "version 3"]),
    ("LGPL-3.0", &["gnu lesser general public license", "version 3"]),
    ("LGPL-2.1", &["gnu lesser general public license", "version 2.1"]),
    ("GPL-3.0", &["gnu general public license", "version 3, 29 june 2007"]),
    ("GPL-2.0", &["gnu general public license", "version 2, june 1991"]),
    ("Apache-2.0", &["apache license", "version 2.0"]),
    ("MPL-2.0", &["mozilla public license", "version 2.0"]),
    ("EPL-2.0", &["eclipse public license - v 2.0"]),
    ("EUPL-1.2", &["european union public licence", "1.2"]),
    ("BSL-1.0", &["boost software license - version 1.0"]),
    ("CC0-1.0", &["cc0 1.0 universal"]),
    ("CC-BY-SA-4.0", &["attribution-sharealike 4.0 international"]),
    ("CC-BY-4.0", &["attribution 4.0 international"]),
    ("Unlicense", &["this is free and unencumbered software released into the public domain"]),
    ("ISC", &["permission to use, copy, modify, and", "distribute this software for any purpose with or without fee"]),
    ("Zlib", &["this software is provided 'as-is'", "altered source versions must be plainly marked"]),
    ("BSD-3-Clause", &["redistribution and use in source and binary forms", "neither the name"]),
    ("BSD-2-Clause", &["redistribution and use in source and binary forms"]),
    ("MIT", &["permission is hereby granted, free of charge", "the software is provided \"as is\""]),
];

/// The licence file of a repository and the name of the licence, where it is a known one.
pub(crate) async fn of(spot: &Spot, entries: &[Entry]) -> Result<Option<(ByteString, &'static str)>> {
    let Some(entry) = entries.iter().filter(|e| e.kind.is_file()).find(|e| is_licence(&e.name)) else {
        return Ok(None);
    };
    let name = match KNOWN.get(&entry.oid) {
        Some(known) => known,
        None => {
            let blob = spot.repo.blob(entry.oid, MOST).await.or_404()?;
            let found = recognise(&String::from_utf8_lossy(&blob.data));
            KNOWN.insert(entry.oid, found);
            found
        }
    };
    Ok(Some((entry.path.clone(), name.unwrap_or("Licence"))))
}

fn is_licence(name: &[u8]) -> bool {
    let name = String::from_utf8_lossy(name).to_lowercase();
    ["license", "licence", "copying", "unlicense"]
        .iter()
        .any(|start| name.strip_prefix(start).is_some_and(|rest| rest.is_empty() || rest.starts_with(['.', '-'])))
}

fn recognise(text: &str) -> Option<&'static str> {
    let words = text.to_lowercase().split_whitespace().collect::<Vec<_>>().join(" ");
    SIGNS.iter().find(|(_, signs)| signs.iter().all(|s| words.contains(s))).map(|(name, _)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn licences_are_told_apart() {
        assert_eq!(recognise("GNU GENERAL PUBLIC LICENSE\n   Version 3, 29 June 2007"), Some("GPL-3.0"));
        assert_eq!(recognise("Apache License\n Version 2.0, January 2004"), Some("Apache-2.0"));
        assert_eq!(recognise("All rights reserved."), None);
        assert!(is_licence(b"LICENSE-MIT") && is_licence(b"Licence.txt") && !is_licence(b"licenses"));
    }
}
