//! JUnit reports.

use quick_xml::escape::resolve_predefined_entity;
use quick_xml::events::{BytesRef, BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use schemars::JsonSchema;
use serde::Serialize;

/// More cases than this are left out of a report.
const MAX_CASES: usize = 100_000;
const MAX_OUTPUT: usize = 64 << 10;

/// One test of a report.
#[derive(Clone, Debug, Default, PartialEq, Serialize, JsonSchema)]
pub(crate) struct TestCase {
    /// `success`, `failed`, `skipped` or `error`.
    pub(crate) status: &'static str,
    pub(crate) name: String,
    pub(crate) classname: Option<String>,
    file: Option<String>,
    pub(crate) execution_time: f64,
    pub(crate) system_output: Option<String>,
    stack_trace: Option<String>,
    recent_failures: Option<u8>,
}

/// Reads the cases of a report; the error says why it can't be.
pub(super) fn parse(text: &[u8]) -> Result<Vec<TestCase>, String> {
    let mut reader = Reader::from_reader(text);
    let mut found = Found::default();
    let mut buffer = Vec::new();
    loop {
        buffer.clear();
        let event = reader.read_event_into(&mut buffer).map_err(failed)?;
        if matches!(event, Event::Eof) {
            return Ok(found.cases);
        }
        found.take(event)?;
        if found.cases.len() > MAX_CASES {
            return Err(format!("the report has more than {MAX_CASES} cases"));
        }
    }
}

fn failed(error: impl std::fmt::Display) -> String {
    format!("JUnit XML parsing failed: {error}")
}

/// What was read so far.
#[derive(Default)]
struct Found {
    cases: Vec<TestCase>,
    open: Option<TestCase>,
    /// The text of the failure that is being read.
    output: Option<String>,
}

impl Found {
    fn take(&mut self, event: Event<'_>) -> Result<(), String> {
        match event {
            Event::Empty(tag) if is_case(&tag) => self.cases.push(case(&tag)?),
            Event::Start(tag) if is_case(&tag) => self.open = Some(case(&tag)?),
            Event::Start(tag) if self.open.as_mut().is_some_and(|c| outcome(c, &tag)) => {
                self.output = Some(String::new());
            }
            Event::Empty(tag) => {
                self.open.as_mut().map(|c| outcome(c, &tag));
            }
            Event::Text(text) => self.add(&text.decode().unwrap_or_default()),
            Event::CData(text) => self.add(&String::from_utf8_lossy(&text)),
            Event::GeneralRef(name) => self.add_reference(&name)?,
            Event::End(tag) if tag.local_name().as_ref() == b"testcase" => self.cases.extend(self.open.take()),
            Event::End(_) => {
                if let (Some(case), Some(text)) = (self.open.as_mut(), self.output.take()) {
                    note(case, &text);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn add(&mut self, text: &str) {
        if let Some(output) = self.output.as_mut().filter(|o| o.len() < MAX_OUTPUT) {
            output.push_str(text);
        }
    }

    /// `&lt;` and the like; what a document declares itself is not expanded.
    fn add_reference(&mut self, name: &BytesRef<'_>) -> Result<(), String> {
        match name.resolve_char_ref().map_err(failed)? {
            Some(c) => self.add(c.encode_utf8(&mut [0; 4])),
            None => self.add(resolve_predefined_entity(&name.decode().map_err(failed)?).unwrap_or_default()),
        }
        Ok(())
    }
}

fn is_case(tag: &BytesStart<'_>) -> bool {
    tag.local_name().as_ref() == b"testcase"
}

fn case(tag: &BytesStart<'_>) -> Result<TestCase, String> {
    let mut case = TestCase { status: "success", ..TestCase::default() };
    for attribute in tag.attributes() {
        let attribute = attribute.map_err(failed)?;
        let value = attribute.normalized_value(XmlVersion::Implicit1_0).map_err(failed)?.into_owned();
        match attribute.key.local_name().as_ref() {
            b"name" => case.name = value,
            b"classname" => case.classname = Some(value),
            b"file" => case.file = Some(value),
            b"time" => {
                case.execution_time =
                    value.replace(',', "").parse().ok().filter(|t: &f64| t.is_finite()).unwrap_or(0.0);
            }
            _ => {}
        }
    }
    Ok(case)
}

/// What an element inside a case says of it; gives whether its text is the output.
fn outcome(case: &mut TestCase, tag: &BytesStart<'_>) -> bool {
    case.status = match tag.local_name().as_ref() {
        b"failure" => "failed",
        b"error" => "error",
        b"skipped" => "skipped",
        _ => return false,
    };
    let message = tag.try_get_attribute("message").ok().flatten();
    if let Some(message) = message.and_then(|m| m.normalized_value(XmlVersion::Implicit1_0).ok()) {
        note(case, &message);
    }
    true
}

/// Adds to the output of a case.
fn note(case: &mut TestCase, text: &str) {
    let text = text.trim();
    if text.is_empty() {
        return;
    }
    let output = case.system_output.get_or_insert_default();
    if !output.is_empty() {
        output.push('\n');
    }
    let room = MAX_OUTPUT.saturating_sub(output.len());
    output.push_str(&text[..text.floor_char_boundary(room)]);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cases_have_their_outcomes() {
        let text = br#"<?xml version="1.0"?><testsuites><testsuite name="s">
            <testcase name="a &amp; b" classname="m" time="1.5" file="a.rs"/>
            <testcase name="c"><failure message="expected 1">got <![CDATA[<2>]]></failure></testcase>
            <testcase name="d"><skipped/></testcase><testcase name="e"><error>boom</error><system-out>x</system-out></testcase>
            </testsuite></testsuites>"#;
        let cases = parse(text).unwrap();
        let brief: Vec<_> = cases.iter().map(|c| (c.name.as_str(), c.status, c.system_output.as_deref())).collect();
        assert_eq!(
            brief,
            [
                ("a & b", "success", None),
                ("c", "failed", Some("expected 1\ngot <2>")),
                ("d", "skipped", None),
                ("e", "error", Some("boom")),
            ]
        );
        assert_eq!((cases[0].execution_time, cases[0].file.as_deref()), (1.5, Some("a.rs")));
    }

    #[test]
    fn nonsense_is_refused_or_empty() {
        assert!(parse(b"").unwrap().is_empty() && parse(b"no xml").unwrap().is_empty());
        assert!(parse(b"<testcase name=\"a\"></wrong>").is_err());
        let bomb = b"<!DOCTYPE x [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]><testcase name=\"&b;\"/>";
        assert!(parse(bomb).is_err());
    }
}
