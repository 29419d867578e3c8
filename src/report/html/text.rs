//! Text in markup.

use crate::text::safe;

/// A text for element content and quoted attributes: markup characters as references, and characters that can't be seen or change the
/// order of others (NUL, bidirectional controls) as visible escapes.
pub(super) fn escaped(text: &str) -> String {
    let safe = safe::one_line(text);
    let mut markup = String::with_capacity(safe.len());
    for character in safe.chars() {
        match character {
            '&' => markup.push_str("&amp;"),
            '<' => markup.push_str("&lt;"),
            '>' => markup.push_str("&gt;"),
            '"' => markup.push_str("&quot;"),
            '\'' => markup.push_str("&#39;"),
            other => markup.push(other),
        }
    }
    markup
}

/// A JSON document for a script element: nothing in it ends the element, or begins a comment or another script.
pub(super) fn json(document: &impl serde::Serialize) -> String {
    let document = serde_json::to_string(document).expect("it holds text keys only");
    // In JSON these characters are only in strings.
    document.replace('<', "\\u003c").replace('>', "\\u003e").replace('&', "\\u0026")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn markup_is_text_and_controls_are_visible() {
        assert_eq!(
            escaped("</script><b a='1' c=\"2\">&\0\u{202e}\n"),
            "&lt;/script&gt;&lt;b a=&#39;1&#39; c=&quot;2&quot;&gt;&amp;\\u{0}\\u{202e}\\n"
        );
    }

    #[test]
    fn json_keeps_its_meaning_and_has_no_markup() {
        let text = "<!--<script></script>-->&\u{2028}";
        let written = json(&[text]);
        assert!(!written.contains(['<', '>', '&']), "{written}");
        assert_eq!(serde_json::from_str::<Vec<String>>(&written).unwrap(), [text]);
    }
}
