//! The plain text of an HTML body: its words, its lines, and where its links lead.
//!
//! For people whose mail program shows no HTML. Enough for the HTML of mails; it is no HTML parser, and its result is
//! never read as HTML again.

/// The text of a body.
pub(crate) fn text_of(html: &str) -> String {
    let mut text = Text::default();
    let mut rest = html;
    let mut link: Option<String> = None;
    let mut hidden: Option<&str> = None;
    while let Some(start) = rest.find('<') {
        let (before, from) = rest.split_at(start);
        if hidden.is_none() {
            text.words(before);
        }
        let Some(end) = from.find('>') else {
            rest = "";
            break;
        };
        let (tag, after) = from.split_at(end + 1);
        rest = after;
        let inner = tag.trim_start_matches('<').trim_end_matches('>');
        let name = inner
            .split([' ', '\t', '\r', '\n'])
            .next()
            .unwrap_or_default()
            .to_ascii_lowercase();
        match name.trim_end_matches('/') {
            opened @ ("style" | "script" | "title") if hidden.is_none() => {
                hidden = ["style", "script", "title"]
                    .into_iter()
                    .find(|known| *known == opened);
            }
            closed if hidden.is_some() && closed.strip_prefix('/') == hidden => hidden = None,
            _ if hidden.is_some() => {}
            "a" => link = attribute(inner, "href"),
            "/a" => {
                if let Some(target) = link.take() {
                    text.target(&target);
                }
            }
            "br" => text.lines(1),
            "li" => {
                text.lines(1);
                text.words("- ");
            }
            "tr" | "/tr" | "div" | "/div" | "/li" => text.lines(1),
            "p" | "/p" | "ul" | "/ul" | "ol" | "/ol" | "table" | "/table" | "hr" | "h1" | "/h1"
            | "h2" | "/h2" | "h3" | "/h3" => text.lines(2),
            _ => {}
        }
    }
    if hidden.is_none() {
        text.words(rest);
    }
    text.0.trim().to_owned() + "\n"
}

#[derive(Default)]
struct Text(String);

impl Text {
    /// Adds words, with each stretch of white space as one blank.
    fn words(&mut self, source: &str) {
        for character in decoded(source).chars() {
            if !character.is_whitespace() {
                self.0.push(character);
            } else if !self.0.is_empty() && !self.0.ends_with([' ', '\n']) {
                self.0.push(' ');
            }
        }
    }

    /// Adds where a link leads, unless its words say so.
    fn target(&mut self, target: &str) {
        let target = decoded(target);
        if !self.0.ends_with(&target) {
            self.0.push_str(&format!(" ({target})"));
        }
    }

    /// Ends the line, so that at least so many line breaks stand there.
    fn lines(&mut self, count: usize) {
        self.0.truncate(self.0.trim_end_matches(' ').len());
        let there = self.0.len() - self.0.trim_end_matches('\n').len();
        if !self.0.is_empty() {
            self.0
                .extend(std::iter::repeat_n('\n', count.saturating_sub(there)));
        }
    }
}

/// The value of an attribute in double or single quotes.
fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, after) = tag.split_once(&format!("{name}="))?;
    let quote = after
        .chars()
        .next()
        .filter(|quote| ['"', '\''].contains(quote))?;
    let (value, _) = after.get(1..)?.split_once(quote)?;
    Some(value.to_owned())
}

fn decoded(text: &str) -> String {
    // The ampersand comes last: what it reveals is no entity any more.
    [
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
        ("&nbsp;", " "),
        ("&amp;", "&"),
    ]
    .into_iter()
    .fold(text.to_owned(), |text, (entity, character)| {
        text.replace(entity, character)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_lines_and_targets_are_kept() {
        let html = "<html><head><title>no</title><style>p { color: red }</style></head><body>\n  <h1>Hello</h1>\n\
                    <p>Dear  Ana &lt;3,<br>go <a href=\"https://x.example/?a=1&amp;b=2\">there</a>.</p>\
                    <ul><li>one</li><li>two</li></ul><p><a href='https://y.example'>https://y.example</a></p></body>";
        assert_eq!(
            text_of(html),
            "Hello\n\nDear Ana <3,\ngo there (https://x.example/?a=1&b=2).\n\n- one\n- two\n\nhttps://y.example\n"
        );
    }

    #[test]
    fn broken_html_ends_where_it_breaks() {
        assert_eq!(text_of("Hello <a href="), "Hello\n");
        assert_eq!(text_of("<"), "\n");
        assert_eq!(text_of("<style>"), "\n");
        assert_eq!(text_of("&amp;lt;b&amp;gt;"), "&lt;b&gt;\n");
    }
}
