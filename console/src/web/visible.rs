//! Other people's text, so that a page shows what is there: nothing in it becomes
//! HTML, and characters that are invisible or turn the direction of what follows
//! stand there by their names.

use std::fmt::Write as _;

/// The text as HTML.
pub(super) fn html(text: &str) -> String {
    let mut html = String::with_capacity(text.len() + 16);
    for letter in text.chars() {
        push(&mut html, letter);
    }
    html
}

fn push(html: &mut String, letter: char) {
    match letter {
        '&' => html.push_str("&amp;"),
        '<' => html.push_str("&lt;"),
        '>' => html.push_str("&gt;"),
        '"' => html.push_str("&quot;"),
        '\'' => html.push_str("&#39;"),
        '\n' | '\t' => html.push(letter),
        hidden if is_hidden(hidden) => {
            let code = u32::from(hidden);
            write!(html, "<span class=\"hidden-character\">U+{code:04X}</span>")
                .expect("text grows");
        }
        shown => html.push(shown),
    }
}

/// Controls, marks of direction, and what has no width. Joiners are not among
/// them: words of some languages and many emoji need them.
fn is_hidden(letter: char) -> bool {
    letter.is_control()
        || matches!(letter,
            '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}' | '\u{200e}' | '\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}'
            | '\u{e0000}'..='\u{e007f}')
}

/// The text as HTML, byte for byte what it is: for scripts to read, not for
/// people to see.
pub(super) fn exact(text: &str) -> String {
    // A parser would make a line feed of a carriage return.
    text.replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('\r', "&#13;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_stays_text() {
        assert_eq!(
            html("<script>alert('1')</script>\"&"),
            "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;&quot;&amp;"
        );
        assert_eq!(
            html("a\u{202e}b\u{0}c\r\n"),
            "a<span class=\"hidden-character\">U+202E</span>b\
             <span class=\"hidden-character\">U+0000</span>c\
             <span class=\"hidden-character\">U+000D</span>\n"
        );
        let family = "\u{1f468}\u{200d}\u{1f469}";
        assert_eq!(html(family), family);
        assert_eq!(html("Schöne Grüße"), "Schöne Grüße");
        assert_eq!(exact("a\r\n<b>&amp;"), "a&#13;\n&lt;b&gt;&amp;amp;");
    }
}
