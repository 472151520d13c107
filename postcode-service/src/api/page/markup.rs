//! Text as HTML.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
pub(super) use postcode_edge::reference::escaped;

/// Returns the relative URL of this page for a text.
pub(super) fn url(text: &str) -> String {
    format!("?q={}", utf8_percent_encode(text, NON_ALPHANUMERIC))
}

/// Returns a link to this page's answer for a text.
pub(super) fn link(text: &str) -> String {
    format!("<a href=\"{}\">{}</a>", url(text), escaped(text))
}

/// Returns a number with commas.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_can_not_become_markup_or_a_place_of_the_template() {
        let text = "<script>'{{answer}}' & \"x\"";
        assert_eq!(
            escaped(text),
            "&lt;script&gt;&#39;&#123;&#123;answer&#125;&#125;&#39; &amp; &quot;x&quot;"
        );
        assert_eq!(link("SW1A 1AA"), "<a href=\"?q=SW1A%201AA\">SW1A 1AA</a>");
        assert_eq!(url("\"><x"), "?q=%22%3E%3Cx");
        assert_eq!([0, 999, 1_000, 1_234_567].map(thousands), ["0", "999", "1,000", "1,234,567"]);
    }
}
