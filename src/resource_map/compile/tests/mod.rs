//! Maps that these tests change in one place each.

mod c7n;
mod listing;
mod refusals;
mod whole;

use crate::resource_map::compile::CompiledType;
use crate::resource_map::load::compile_file;
use crate::text::source::Source;

fn compile(text: &str) -> Vec<CompiledType> {
    compile_file(Source { name: "m", text }).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

/// `line:column: message` of the error.
fn refused(text: &str) -> String {
    let error = compile_file(Source { name: "m", text }).expect_err(text);
    assert!(!error.message.contains('\n') && !error.message.contains(" at line "), "{}", error.message);
    error.to_string().strip_prefix("m:").expect("the file's name comes first").to_owned()
}

/// A good file. Its last stanza, `write`, is open for more lines.
const GOOD: &str = "service: x
protocol: rest-json
resources:
  - type: thing
    events:
      - event: CreateThing
        ids: responseElements.name
    list:
      call: GET /things
      params: {'?max': 10}
      items: Things
      page: ['?token', NextToken]
    id: Name
    arn: arn:{partition}:x:{region}:{account}:thing/{id}
    tags:
      call: GET /tags/{arn}
      items: Tags
    write:
      method: rgta
      call: POST /tags/{arn}
      params: {Tags: {'{key}': '{value}'}}
      remove: {call: 'DELETE /tags/{arn}', params: {'?keys': '{key}'}}
";

/// [`GOOD`] with one text replaced, which must be there once.
fn good_but(from: &str, to: &str) -> String {
    assert_eq!(GOOD.matches(from).count(), 1, "{from}");
    GOOD.replace(from, to)
}

#[track_caller]
fn assert_refused(text: &str, message: &str) {
    assert_eq!(refused(text), message, "\n{text}");
}
