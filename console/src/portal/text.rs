//! Descriptions as they are shown: of `CommonMark` only paragraphs, `code` and **bold**.

/// Some text of one kind.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Span {
    Plain(&'static str),
    Code(&'static str),
    Strong(&'static str),
}

/// What stands between empty lines.
pub(super) type Paragraph = Vec<Span>;

pub(super) fn paragraphs(text: &'static str) -> Vec<Paragraph> {
    let paragraphs = text.split("\n\n").filter(|it| !it.is_empty());
    paragraphs.map(spans).collect()
}

/// One paragraph.
pub(super) fn spans(text: &'static str) -> Paragraph {
    let mut spans = Vec::new();
    for (index, part) in text.split('`').enumerate() {
        if index % 2 == 1 {
            spans.push(Span::Code(part));
            continue;
        }
        for (index, part) in part.split("**").enumerate() {
            spans.push(if index % 2 == 1 {
                Span::Strong(part)
            } else {
                Span::Plain(part)
            });
        }
    }
    spans.retain(|span| !matches!(span, Span::Plain("")));
    spans
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn code_and_bold_text_are_told_from_the_rest() {
        let shown = paragraphs("**Errors** are `**problems**`.\n\nThat is all.");
        let first = vec![
            Span::Strong("Errors"),
            Span::Plain(" are "),
            Span::Code("**problems**"),
            Span::Plain("."),
        ];
        assert_eq!(shown, [first, vec![Span::Plain("That is all.")]]);
    }
}
