//! A look at a template before the library parses it: bounds that the library lacks, and escaping by default.
//!
//! The library recurses with each nested block and bracket and panics on numbers beyond 64 bits, so those are refused.
//! Each `{{ … }}` gets the escaping filter as its last. For that to be exact, delimiters may not stand within quotes:
//! then the first `}}` after a `{{` ends it, for the library as for this file.

/// The filter that is put last; an author may not know it.
pub(super) const ESCAPE: &str = "__escape";
/// The filter whose presence as the last one keeps the escaping away.
pub(super) const RAW: &str = "raw";

const MAX_TAGS: usize = 2_000;
const MAX_TAG: usize = 1_000;
const MAX_DEPTH: usize = 100;
const MAX_BRACKETS: usize = 8;
const MAX_DIGITS: usize = 18;

/// What is wrong, and at which byte.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Refused {
    pub(super) at: usize,
    pub(super) reason: String,
}

/// The template with escaping by default, if it is within bounds.
pub(super) fn escaping(text: &str) -> Result<String, Refused> {
    let mut written = String::with_capacity(text.len() * 2);
    let mut blocks = Vec::new();
    let mut at = 0;
    let mut tags = 0;
    while let Some(found) = text[at..]
        .find("{{")
        .into_iter()
        .chain(text[at..].find("{%"))
        .min()
    {
        let start = at + found;
        let refuse = |reason: &str| Refused {
            at: start,
            reason: reason.to_owned(),
        };
        let expression = text[start..].starts_with("{{");
        let close = if expression { "}}" } else { "%}" };
        let end = text[start..].find(close).map(|end| start + end);
        let end = end.ok_or_else(|| refuse(&format!("{} is missing", close)))?;
        let inner = &text[start + 2..end];
        tags += 1;
        if tags > MAX_TAGS {
            return Err(refuse("there are more than 2,000 tags and outputs"));
        }
        check(inner).map_err(|reason| refuse(&reason))?;
        written.push_str(&text[at..end]);
        if expression {
            escape(&mut written, inner);
        } else {
            nest(&mut blocks, inner).map_err(refuse)?;
        }
        written.push_str(close);
        at = end + 2;
    }
    written.push_str(&text[at..]);
    Ok(written)
}

/// `written` ends with the content of an output; adds the filter before a closing hyphen.
fn escape(written: &mut String, inner: &str) {
    let content = inner.trim_end_matches('-').trim();
    let last_filter = content.rsplit('|').next().unwrap_or_default().trim();
    let raw = last_filter == RAW && content.contains('|');
    if raw || content.trim_start_matches('-').trim().is_empty() {
        return;
    }
    let hyphen = written.ends_with('-');
    if hyphen {
        written.pop();
    }
    written.push_str(&format!(" | {ESCAPE} "));
    if hyphen {
        written.push('-');
    }
}

fn check(inner: &str) -> Result<(), String> {
    if inner.len() > MAX_TAG {
        return Err("a tag or output is longer than 1,000 bytes".to_owned());
    }
    if inner.contains("{{") || inner.contains("{%") || inner.contains("}}") || inner.contains("%}")
    {
        return Err("a tag or output stands within another, or its end is missing".to_owned());
    }
    if inner.contains(ESCAPE) {
        return Err(format!("{ESCAPE} is not for templates"));
    }
    let (mut quote, mut brackets, mut digits) = (None, 0, 0);
    for character in inner.chars() {
        digits = if character.is_ascii_digit() && quote.is_none() {
            digits + 1
        } else {
            0
        };
        if digits > MAX_DIGITS {
            return Err("a number has more than 18 digits".to_owned());
        }
        match (quote, character) {
            (Some(open), _) if open == character => quote = None,
            (Some(_), _) => {}
            (None, '\'' | '"') => quote = Some(character),
            (None, '[') => brackets += 1,
            (None, _) => {}
        }
        if brackets > MAX_BRACKETS {
            return Err("there are more than 8 brackets in a tag or output".to_owned());
        }
    }
    match quote {
        Some(_) => {
            Err("a quote is not closed, or {{, }}, {% or %} stands within quotes".to_owned())
        }
        None => Ok(()),
    }
}

/// Follows blocks by their names; each `elsif` counts as one more within its block.
fn nest(blocks: &mut Vec<usize>, inner: &str) -> Result<(), &'static str> {
    let name = inner.trim_start_matches('-').trim_start();
    let name = name
        .split(|letter: char| !letter.is_ascii_alphanumeric())
        .next()
        .unwrap_or_default();
    match name {
        "if" | "unless" | "case" | "comment" => blocks.push(1),
        "elsif" => {
            if let Some(block) = blocks.last_mut() {
                *block += 1;
            }
        }
        "endif" | "endunless" | "endcase" | "endcomment" => drop(blocks.pop()),
        _ => {}
    }
    if blocks.iter().sum::<usize>() > MAX_DEPTH {
        return Err("blocks stand within one another more than 100 deep, each elsif counted");
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_output_is_escaped_last() {
        for (text, escaped) in [
            (
                "Hello {{ user.name }}!",
                "Hello {{ user.name  | __escape }}!",
            ),
            (
                "{{user.name}}{{- a | upcase -}}",
                "{{user.name | __escape }}{{- a | upcase  | __escape -}}",
            ),
            (
                "{{ a | raw }}{{ raw }}",
                "{{ a | raw }}{{ raw  | __escape }}",
            ),
            (
                "{% if a == '}' %}{{ b | default: '|' }}{% endif %}",
                "{% if a == '}' %}{{ b | default: '|'  | __escape }}{% endif %}",
            ),
            ("{ {x} } 100 %}", "{ {x} } 100 %}"),
        ] {
            assert_eq!(escaping(text).unwrap(), escaped);
        }
    }

    #[test]
    fn what_the_library_could_not_bear_is_refused_where_it_stands() {
        let deep = "{% if a %}".repeat(101);
        let chain = format!("{{% if a %}}{}", "{% elsif a %}".repeat(100));
        let many = "{{ a }}".repeat(2_001);
        let brackets = format!("{{{{ a{}{} }}}}", "[b".repeat(9), "]".repeat(9));
        let long = format!("{{{{ {} }}}}", "a".repeat(1_000));
        for (text, at, reason) in [
            (deep.as_str(), 1_000, "100 deep"),
            (chain.as_str(), 10 + 99 * 13, "100 deep"),
            (many.as_str(), 14_000, "2,000"),
            (brackets.as_str(), 0, "8 brackets"),
            (long.as_str(), 0, "1,000 bytes"),
            ("ab {{ 1234567890123456789 }}", 3, "18 digits"),
            ("{{ a", 0, "}} is missing"),
            ("{% if a", 0, "%} is missing"),
            ("{{ 'a }} {{ b' }}", 0, "quote"),
            ("{{ '{{' }}", 0, "within another"),
            ("{{ a | __escape }}", 0, "not for templates"),
        ] {
            let refused = escaping(text).unwrap_err();
            assert_eq!(refused.at, at, "{reason}");
            assert!(refused.reason.contains(reason), "{refused:?}");
        }
    }
}
