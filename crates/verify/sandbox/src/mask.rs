/// What stands in the log instead of a secret.
const MASK: &[u8] = b"[MASKED]";
/// Values shorter than this would make a log unreadable.
const SHORTEST: usize = 4;

/// Replaces secrets in a stream of bytes, also where a secret is split over several chunks.
///
/// The replacement has a length of its own, as in GitLab Runner's logs. That is safe because masking comes
/// before anything counts the log's bytes: offsets and checksums are those of the masked log.
pub struct Masker {
    secrets: Vec<Vec<u8>>,
    first: [bool; 256],
    held: Vec<u8>,
}

impl Masker {
    /// Makes a masker for the given values.
    pub fn new<I: IntoIterator<Item = S>, S: AsRef<[u8]>>(secrets: I) -> Self {
        let mut secrets: Vec<Vec<u8>> = secrets.into_iter().map(|s| s.as_ref().to_vec()).collect();
        secrets.retain(|s| s.len() >= SHORTEST);
        // Of two secrets that begin alike, the longer one is to be found.
        secrets.sort_by(|a, b| b.len().cmp(&a.len()).then_with(|| a.cmp(b)));
        secrets.dedup();
        let mut first = [false; 256];
        for secret in &secrets {
            first[usize::from(secret[0])] = true;
        }
        Self { secrets, first, held: Vec::new() }
    }

    /// Takes a chunk and returns what can be shown; a possible beginning of a secret is held back.
    pub fn push(&mut self, chunk: &[u8]) -> Vec<u8> {
        let mut input = std::mem::take(&mut self.held);
        input.extend_from_slice(chunk);
        let mut out = Vec::with_capacity(input.len());
        let mut at = 0;
        while at < input.len() {
            match self.look(&input[at..]) {
                Look::Plain => {
                    out.push(input[at]);
                    at += 1;
                }
                Look::Secret(length) => {
                    out.extend_from_slice(MASK);
                    at += length;
                }
                Look::Maybe => {
                    self.held = input.split_off(at);
                    break;
                }
            }
        }
        out
    }

    /// Returns what is held back at the end of the stream.
    pub fn finish(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        while !self.held.is_empty() {
            let held = std::mem::take(&mut self.held);
            match self.secrets.iter().find(|s| held.starts_with(s)) {
                Some(secret) => {
                    out.extend_from_slice(MASK);
                    out.extend(self.push(&held[secret.len()..]));
                }
                None => {
                    out.push(held[0]);
                    out.extend(self.push(&held[1..]));
                }
            }
        }
        out
    }

    fn look(&self, rest: &[u8]) -> Look {
        if !self.first[usize::from(rest[0])] {
            return Look::Plain;
        }
        for secret in &self.secrets {
            if rest.starts_with(secret) {
                return Look::Secret(secret.len());
            }
            // A longer secret may still come; it goes before a shorter one that is whole already.
            if secret.starts_with(rest) {
                return Look::Maybe;
            }
        }
        Look::Plain
    }
}

enum Look {
    Plain,
    Secret(usize),
    Maybe,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn masked(secrets: &[&str], chunks: &[&str]) -> String {
        let mut masker = Masker::new(secrets);
        let mut out = Vec::new();
        for chunk in chunks {
            out.extend(masker.push(chunk.as_bytes()));
        }
        out.extend(masker.finish());
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn secrets_are_masked_wherever_chunks_end() {
        let text = "a hunter22 b hunter22hunter22 hunter2";
        let want = "a [MASKED] b [MASKED][MASKED] hunter2";
        for cut in 0..text.len() {
            assert_eq!(masked(&["hunter22"], &[&text[..cut], &text[cut..]]), want, "cut at {cut}");
        }
        let single: Vec<_> = text.split("").collect();
        assert_eq!(masked(&["hunter22"], &single), want);
    }

    #[test]
    fn the_longer_of_two_secrets_wins() {
        let secrets = ["token", "token-long"];
        assert_eq!(masked(&secrets, &["token-lo", "ng token-l", "x token"]), "[MASKED] [MASKED]-lx [MASKED]");
    }

    #[test]
    fn overlapping_beginnings_are_found() {
        assert_eq!(masked(&["aaab"], &["aa", "aa", "b"]), "a[MASKED]");
        assert_eq!(masked(&["abcabd"], &["abcab", "cabd"]), "abc[MASKED]");
    }

    #[test]
    fn short_and_empty_values_are_left_alone() {
        assert_eq!(masked(&["", "ab"], &["ab cd"]), "ab cd");
        assert_eq!(masked(&[], &["text"]), "text");
    }
}
