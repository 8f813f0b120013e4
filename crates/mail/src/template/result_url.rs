//! `resultUrl`: where a link of a mail leads in the end, with the few variables that the wire documents for it.
//!
//! Wire: auth0-wire-facts §7.2 ("redirect-to"). Nothing that a user may choose is among them, so no user can lead another
//! one elsewhere. It is an absolute address of the web, or it is refused.

use jiff::Timestamp;
use liquid_core::model::to_object;
use liquid_core::runtime;
use serde_json::{Map, Value, json};

use super::{NOW, Part, RenderError, TemplateError, TemplateName, one_line, parse, render};

/// Longest address, in bytes.
const MAX_URL: usize = 2_048;

/// An address with variables.
#[derive(Debug)]
pub struct ResultUrl {
    name: TemplateName,
    text: runtime::Template,
}

impl ResultUrl {
    /// Parses the `resultUrl` of a template, and tries it with an ordinary application.
    pub fn parse(name: TemplateName, text: &str) -> Result<Self, TemplateError> {
        let refused = |line, column, reason| TemplateError {
            template: name,
            part: Part::ResultUrl,
            line,
            column,
            reason,
        };
        let parsed =
            parse(Part::ResultUrl, text).map_err(|flaw| flaw.of(name, Part::ResultUrl, text))?;
        let url = Self { name, text: parsed };
        let ordinary = json!({
            "name": "Shop",
            "clientID": "shop",
            "callback_domain": "https://shop.example.com",
        });
        let ordinary = ordinary.as_object().cloned().unwrap_or_default();
        url.render(&ordinary, Timestamp::UNIX_EPOCH)
            .map_err(|error| refused(1, 1, error.reason))?;
        Ok(url)
    }

    /// Fills in `application.name`, `application.clientID` and `application.callback_domain`.
    pub fn render(
        &self,
        application: &Map<String, Value>,
        now: Timestamp,
    ) -> Result<String, RenderError> {
        let refused = |reason| RenderError {
            template: self.name,
            part: Part::ResultUrl,
            reason,
        };
        let known = ["name", "clientID", "callback_domain"];
        let application: Map<String, Value> = known
            .iter()
            .filter_map(|&name| Some((name.to_owned(), application.get(name)?.clone())))
            .collect();
        let now = now.strftime("%Y-%m-%d %H:%M:%S +0000").to_string();
        let all = json!({ "application": application, "client": application, NOW: now });
        let all = to_object(&all).expect("JSON becomes Liquid values");
        let url = one_line(&render(&self.text, &all, MAX_URL).map_err(refused)?);
        if is_web_address(&url) {
            Ok(url)
        } else {
            Err(refused(
                "is no absolute address; write https://HOST/PATH".to_owned(),
            ))
        }
    }
}

fn is_web_address(url: &str) -> bool {
    let rest = ["https://", "http://"]
        .iter()
        .find_map(|scheme| url.strip_prefix(scheme));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next());
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b".-:[]".contains(&byte);
    host.is_some_and(|host| !host.is_empty() && host.bytes().all(plain))
        && url
            .bytes()
            .all(|byte| byte.is_ascii_graphic() && !b"\"'<>\\".contains(&byte))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(text: &str) -> Result<ResultUrl, TemplateError> {
        ResultUrl::parse(TemplateName::VerifyEmail, text)
    }

    fn application(name: &str) -> Map<String, Value> {
        Map::from_iter([
            ("name".to_owned(), name.into()),
            ("clientID".to_owned(), "abc".into()),
            (
                "callback_domain".to_owned(),
                "https://app.example.com".into(),
            ),
            ("client_metadata".to_owned(), json!({ "x": "secret" })),
        ])
    }

    #[test]
    fn the_documented_variables_are_filled_in_and_no_others() {
        for (text, url) in [
            (
                "https://shop.example.com/done",
                "https://shop.example.com/done",
            ),
            (
                "{{ application.callback_domain }}/r",
                "https://app.example.com/r",
            ),
            (
                "https://x.example/?c={{ application.clientID }}",
                "https://x.example/?c=abc",
            ),
            (
                "https://x.example/?n={{ application.name | url_encode }}",
                "https://x.example/?n=My%20shop",
            ),
            (
                "https://x.example/?m={{ application.client_metadata.x }}{{ user.email }}",
                "https://x.example/?m=",
            ),
            ("http://localhost:3000/", "http://localhost:3000/"),
        ] {
            let rendered = parsed(text)
                .unwrap()
                .render(&application("My shop"), Timestamp::UNIX_EPOCH);
            assert_eq!(rendered.as_deref(), Ok(url), "{text}");
        }
    }

    #[test]
    fn what_is_no_address_of_the_web_is_refused() {
        for text in [
            "",
            "/done",
            "shop.example.com",
            "javascript:alert(1)",
            "https://",
            "https:///x",
            "ftp://x.example/",
            "https://user@x.example/",
            "https://x.example/a b",
            "https://x.example/\"",
            "{{ user.email }}",
            "{% if %}",
            "https://x.example/{{",
        ] {
            let refused = parsed(text).unwrap_err();
            assert_eq!(refused.part, Part::ResultUrl, "{text}");
        }
        let url = parsed("https://x.example/{{ application.name }}").unwrap();
        let spaced = url.render(&application("My shop"), Timestamp::UNIX_EPOCH);
        assert!(spaced.unwrap_err().reason.contains("absolute address"));
    }
}
