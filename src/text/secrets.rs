//! Secrets in texts of others: AWS's error messages, the output of programs, URLs.
//!
//! A `SignatureDoesNotMatch` quotes the canonical request, with the session token in it; presigned URLs carry a signature; an endpoint or a
//! proxy may be given with a password. Such texts reach the terminal, the journal, plans and reports, so [`redacted`] takes the
//! secrets out where the text is first read.

use std::borrow::Cow;
use std::sync::LazyLock;

use regex::{Captures, Regex};
use serde_json::Value;

/// The text in place of a secret.
const REDACTED: &str = "[redacted]";

/// What is secret after a name, in headers, queries, XML, JSON, INI files and shell commands.
const NAMED: &str = r#"(?ix)
    (?P<name>
        x-amz-security-token | x-amz-signature | x-amz-credential | x-amz-s3session-token
        | (?:aws[_-]?)? secret[_-]?(?:access[_-]?)?key | (?:aws[_-]?)? session[_-]?token | security[_-]?token
        | (?:client|shared)[_-]?secret | secret[_-]?string | access[_-]?token | refresh[_-]?token | id[_-]?token | web[_-]?identity[_-]?token | saml[_-]?assertion
        | (?:proxy-)? authorization | pass(?:word|wd|phrase) | private[_-]?key | api[_-]?key | signature | credential
    )
    (?P<sign> \\? ["']? \s* (?: %3d | [:=>] ) \s* \\? ["']? )
    (?P<value> (?: (?:aws4-hmac-sha256|basic|bearer|negotiate)\s+ )? [^\s"'<>&,;\\{}\[\]]+ )"#;

/// Secrets by their own shape: tokens of STS, JSON web tokens, private keys; and what comes before the host of a URL.
const SHAPED: &str = r"(?x)
    (?P<url> [A-Za-z][A-Za-z0-9+.-]* :// | endpoint\ ` ) [^/\s?\#@]* (?: @ [^/\s?\#@]* )* @
    | \b (?: IQoJ | FwoG | FQoG | AQoD | AgoG ) [A-Za-z0-9+/=_%-]{40,}
    | \b eyJ [A-Za-z0-9_-]{8,} \. [A-Za-z0-9_-]+ (?: \. [A-Za-z0-9_-]* )?
    | -----BEGIN\ [A-Z\ ]*PRIVATE\ KEY----- [^-]* (?: -----END\ [A-Z\ ]*PRIVATE\ KEY----- )?";

/// Where the signed request begins that AWS quotes. All after it is left out.
const QUOTES: [&str; 3] = [
    "The Canonical String for this request should have been",
    "The String-to-Sign should have been",
    "<CanonicalRequest>",
];

/// No longer than any token of a known shape, or than `-----BEGIN`, in bytes.
const SHORTEST_TOKEN: usize = 10;

static NAMED_SECRET: LazyLock<Regex> = LazyLock::new(|| Regex::new(NAMED).expect("a constant expression"));
static SHAPED_SECRET: LazyLock<Regex> = LazyLock::new(|| Regex::new(SHAPED).expect("a constant expression"));

/// The text without secrets: values of names that are secret, tokens of known shape, users and passwords in URLs, and the signed request
/// that AWS quotes.
pub(crate) fn redacted(text: &str) -> Cow<'_, str> {
    let quoted = QUOTES.iter().filter_map(|quote| text.find(quote)).min();
    let text = match quoted {
        Some(place) => Cow::Owned(format!("{}{REDACTED}", &text[..place])),
        None if !may_have_secret(text) => return Cow::Borrowed(text),
        None => Cow::Borrowed(text),
    };
    let text = replaced(text, &SHAPED_SECRET, |found| match found.name("url") {
        Some(scheme) => format!("{}{REDACTED}@", scheme.as_str()),
        None => REDACTED.to_owned(),
    });
    replaced(text, &NAMED_SECRET, |found| format!("{}{}{REDACTED}", &found["name"], &found["sign"]))
}

/// Takes the secrets out of a JSON value: the texts of keys with a secret's name, and those of a secret's shape.
pub(crate) fn redact(value: &mut Value) {
    match value {
        Value::String(text) => {
            if let Cow::Owned(clean) = redacted(text) {
                *text = clean;
            }
        }
        Value::Array(values) => values.iter_mut().for_each(redact),
        Value::Object(fields) => {
            for (name, value) in fields.iter_mut() {
                match value {
                    Value::String(text) if is_secret(name) => REDACTED.clone_into(text),
                    _ => redact(value),
                }
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// Whether a key's value is secret by its name. A name such as `masterUserPassword` ends with one.
fn is_secret(name: &str) -> bool {
    matches!(redacted(&format!("{name}=x")), Cow::Owned(_))
}

/// Whether a text has what every secret has that the expressions find. They take a millisecond to compile, and most texts of most runs
/// have none of it.
fn may_have_secret(text: &str) -> bool {
    // A name's sign, the scheme of a URL or `endpoint`.
    let has_sign = text.contains([':', '=', '>', '%', '`']);
    // A token, and `-----BEGIN`.
    has_sign || text.split(char::is_whitespace).any(|word| word.len() >= SHORTEST_TOKEN)
}

fn replaced<'t>(text: Cow<'t, str>, secret: &Regex, by: impl Fn(&Captures<'_>) -> String) -> Cow<'t, str> {
    match secret.replace_all(&text, by) {
        Cow::Borrowed(_) => text,
        Cow::Owned(clean) => Cow::Owned(clean),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The message as AWS words it.
    const MISMATCH: &str = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key \
        and signing method. Consult the service documentation for details.\n\nThe Canonical String for this request should have been\n'POST\n/\n\n\
        host:iam.amazonaws.com\nx-amz-security-token:IQoJb3JpZ2luX2VjEPLANTED\n\nhost;x-amz-date\nabc'\n\nThe String-to-Sign should have been\n'AWS4'";

    #[test]
    fn a_quoted_request_is_left_out() {
        let clean = redacted(MISMATCH);
        assert!(
            clean.starts_with("The request signature we calculated does not match") && clean.ends_with(REDACTED),
            "{clean}"
        );
        assert!(!clean.contains("PLANTED") && !clean.contains("iam.amazonaws.com"), "{clean}");
    }

    #[test]
    fn secrets_are_taken_out_wherever_they_are() {
        for text in [
            "x-amz-security-token:PLANTED",
            "GET https://b.s3.amazonaws.com/k?X-Amz-Security-Token=PLANTED&X-Amz-Signature=PLANTED&X-Amz-Date=1",
            "X-Amz-Credential%3DPLANTED",
            r#"{"SecretAccessKey": "PLANTED/+=", "SessionToken":"PLANTED"}"#,
            r#"{\"secretAccessKey\":\"PLANTED\"}"#,
            "<SecretAccessKey>PLANTED</SecretAccessKey>",
            "export AWS_SECRET_ACCESS_KEY=PLANTED; export AWS_SESSION_TOKEN='PLANTED'",
            "aws_secret_access_key = PLANTED",
            "Authorization: AWS4-HMAC-SHA256 Credential=PLANTED/20260301/us-east-1/s3, Signature=PLANTED",
            "authorization: Bearer PLANTED",
            "can't reach http://user:PLANTED@proxy.example:8080/x",
            "can't reach https://PLANTED@host",
            "https://a:b@PLANTED@host/",
            "failed to apply endpoint `me:PLANTED@host` to request",
            "token IQoJb3JpZ2luX2VjEPLANTEDPLANTEDPLANTEDPLANTEDPLANTED",
            "jwt eyJhbGciOiJub25lIn0.PLANTED.PLANTED",
            "password=PLANTED, passwd: PLANTED",
        ] {
            let clean = redacted(text);
            assert!(!clean.contains("PLANTED") && clean.contains(REDACTED), "{text}: {clean}");
        }
    }

    #[test]
    fn values_of_secret_names_are_taken_out_of_records() {
        let mut record = serde_json::json!({
            "credentials": {"accessKeyId": "ASIA1", "sessionToken": "PLANTED"},
            "masterUserPassword": "PLANTED", "urls": ["https://PLANTED@host/"], "name": "q", "maxSessionDuration": 3600,
        });
        redact(&mut record);
        assert!(!record.to_string().contains("PLANTED"), "{record}");
        assert_eq!((&record["name"], &record["credentials"]["accessKeyId"]), (&"q".into(), &"ASIA1".into()));
    }

    #[test]
    fn other_texts_stay() {
        for text in [
            "User: arn:aws:sts::1:assumed-role/a/ann@example.com is not authorized to perform: iam:CreateAccessKey on resource: user x",
            "the credential is expired; the signature has expired: sign in again",
            "https://sqs.us-east-1.amazonaws.com/123456789012/q",
            "mail ann@example.com or see https://example.com/a@b",
            "secretsmanager:GetSecretValue in eu-west-1",
            "Secret arn:aws:secretsmanager:eu-west-1:1:secret:db-password-AbCdEf has no tag",
        ] {
            assert_eq!(redacted(text), text);
        }
    }
}
