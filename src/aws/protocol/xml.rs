//! XML to JSON and back, without a schema.
//!
//! The root's name is kept beside its content. Children that are all `item` or all `member` make an array, a repeated child is an array, an empty
//! element is null. Attributes and name spaces are ignored. Works on its own stack and refuses deep documents, so
//! that no answer can exhaust ours; entities other than XML's own five and characters by number are refused.

use std::collections::HashMap;

use quick_xml::Reader;
use quick_xml::escape::{escape, resolve_xml_entity};
use quick_xml::events::{BytesRef, Event};
use serde_json::{Map, Value};

use super::{InvalidCall, scalar};

/// Levels of elements. AWS's deepest answers have about 15.
const MAX_DEPTH: usize = 64;

/// Why XML can't be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum UnreadableXml {
    #[error("not UTF-8: {0}")]
    Encoding(#[from] std::str::Utf8Error),
    #[error("not XML: {0}")]
    Syntax(#[from] quick_xml::Error),
    #[error("XML of more than {MAX_DEPTH} levels")]
    TooDeep,
    #[error("XML with the unknown entity &{0};")]
    UnknownEntity(String),
    #[error("XML that ends too early")]
    Truncated,
    #[error("not XML: it is not a single element")]
    NoSingleRoot,
}

/// An element that is still open.
#[derive(Default)]
struct Element {
    name: String,
    text: String,
    children: Vec<(String, Value)>,
}

/// A document as JSON.
#[derive(Debug, PartialEq)]
pub(super) struct Document {
    /// The root element's name, without its name space.
    pub(super) root: String,
    /// What is in the root; null if it is empty.
    pub(super) content: Value,
}

/// Reads a document: one element, with nothing but blanks around it.
pub(super) fn parse(body: &[u8]) -> Result<Document, UnreadableXml> {
    let text = std::str::from_utf8(body)?.trim_start_matches('\u{feff}');
    let mut reader = Reader::from_str(text);
    // The bottom entry is the document; its one child is the root.
    let mut open = vec![Element::default()];
    loop {
        match reader.read_event()? {
            Event::Start(tag) => {
                if open.len() > MAX_DEPTH {
                    return Err(UnreadableXml::TooDeep);
                }
                open.push(Element { name: tag.local_name().as_ref().to_owned(), ..Element::default() });
            }
            Event::Empty(tag) => {
                let name = tag.local_name().as_ref().to_owned();
                innermost(&mut open).children.push((name, Value::Null));
            }
            Event::End(_) => close(&mut open)?,
            Event::Text(text) => innermost(&mut open).text.push_str(&text.xml10_content()),
            Event::CData(text) => innermost(&mut open).text.push_str(&text.xml10_content()),
            Event::GeneralRef(reference) => innermost(&mut open).text.push_str(&resolve(&reference)?),
            Event::Eof => break,
            Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::DocType(_) => {}
        }
    }
    let (Some(document), true) = (open.pop(), open.is_empty()) else { return Err(UnreadableXml::Truncated) };
    let mut roots = document.children.into_iter();
    match (roots.next(), roots.next()) {
        (Some((root, content)), None) if document.text.trim().is_empty() => Ok(Document { root, content }),
        _ => Err(UnreadableXml::NoSingleRoot),
    }
}

fn innermost(open: &mut [Element]) -> &mut Element {
    open.last_mut().expect("the document stays open until the end")
}

fn close(open: &mut Vec<Element>) -> Result<(), UnreadableXml> {
    // The reader itself refuses an end tag without its start.
    let element = open.pop().filter(|_| !open.is_empty()).ok_or(UnreadableXml::Truncated)?;
    let name = element.name.clone();
    innermost(open).children.push((name, value_of(element)));
    Ok(())
}

fn resolve(reference: &BytesRef<'_>) -> Result<String, UnreadableXml> {
    if let Some(character) = reference.resolve_char_ref()? {
        return Ok(character.to_string());
    }
    let name = reference.xml10_content();
    resolve_xml_entity(&name).map(str::to_owned).ok_or_else(|| UnreadableXml::UnknownEntity(name.to_string()))
}

fn value_of(element: Element) -> Value {
    let Element { text, children, .. } = element;
    let all_named = |name: &str| children.iter().all(|(child, _)| child == name);
    if children.is_empty() {
        // Blank lines are layout; blanks alone can be a tag's value.
        let is_layout = text.trim().is_empty() && (text.is_empty() || text.contains('\n'));
        return if is_layout { Value::Null } else { Value::String(text) };
    }
    if all_named("item") || all_named("member") {
        return Value::Array(children.into_iter().map(|(_, value)| value).collect());
    }
    Value::Object(fields_of(children))
}

fn fields_of(children: Vec<(String, Value)>) -> Map<String, Value> {
    let mut times: HashMap<String, usize> = HashMap::new();
    for (name, _) in &children {
        *times.entry(name.clone()).or_default() += 1;
    }
    let mut fields = Map::new();
    for (name, value) in children {
        if times[&name] == 1 {
            fields.insert(name, value);
        } else if let Some(items) = fields.entry(name).or_insert_with(|| Value::Array(Vec::new())).as_array_mut() {
            items.push(value);
        }
    }
    fields
}

/// The document of `body`. Its one field is the root; a list becomes repeated elements.
pub(super) fn document(body: &Map<String, Value>, namespace: Option<&str>) -> Result<String, InvalidCall> {
    let mut roots = body.iter();
    let (Some((name, value)), None) = (roots.next(), roots.next()) else {
        return Err(InvalidCall::NotOneRoot(body.len()));
    };
    check_name(name)?;
    let attribute = namespace.map(|uri| format!(" xmlns=\"{}\"", escape(uri))).unwrap_or_default();
    let mut out = format!("<{name}{attribute}>");
    write_content(value, &mut out)?;
    out.push_str(&format!("</{name}>"));
    Ok(out)
}

/// As deep as the map that wrote the input.
fn write_content(value: &Value, out: &mut String) -> Result<(), InvalidCall> {
    let Value::Object(fields) = value else {
        out.push_str(&escape(scalar(value).unwrap_or_default()));
        return Ok(());
    };
    for (name, value) in fields {
        check_name(name)?;
        for item in value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice) {
            out.push_str(&format!("<{name}>"));
            write_content(item, out)?;
            out.push_str(&format!("</{name}>"));
        }
    }
    Ok(())
}

/// Names come from a user's map: they must not be able to write markup.
fn check_name(name: &str) -> Result<(), InvalidCall> {
    let starts_well = name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_');
    if starts_well && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte)) {
        Ok(())
    } else {
        Err(InvalidCall::NotAnElement(name.to_owned()))
    }
}
