//! Somebody with a browser and no script: opens pages and sends their forms. A mail scanner is one, too.

use axum::body::Body;
use http::{Method, Request};

use crate::{Answer, World};

/// Who visits hosted pages.
#[derive(Clone, Debug)]
pub struct Visitor<'w> {
    world: &'w World,
    address: String,
}

impl<'w> Visitor<'w> {
    pub(crate) fn at(world: &'w World, address: &str) -> Self {
        Self {
            world,
            address: address.to_owned(),
        }
    }

    /// Opens a page by path and query.
    pub async fn open(&self, path: &str) -> Answer {
        self.send(Method::GET, path, Body::empty()).await
    }

    /// Sends a form.
    pub async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let mut form = form_urlencoded::Serializer::new(String::new());
        form.extend_pairs(fields);
        self.send(Method::POST, path, Body::from(form.finish()))
            .await
    }

    /// Fills in the only form of a page and presses its button; hidden fields go along.
    pub async fn press(&self, page: &Answer, fields: &[(&str, &str)]) -> Answer {
        let forms: Vec<&str> = tags(&page.text, "form").collect();
        let [form] = forms.as_slice() else {
            panic!("the page has not exactly one form: {}", page.text)
        };
        assert_eq!(attribute(form, "method").as_deref(), Some("post"), "{form}");
        let action = attribute(form, "action").expect("the form says where it goes");
        let hidden = tags(&page.text, "input")
            .filter(|input| attribute(input, "type").as_deref() == Some("hidden"));
        let mut all: Vec<(String, String)> = hidden
            .filter_map(|input| Some((attribute(input, "name")?, attribute(input, "value")?)))
            .collect();
        all.extend(
            fields
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned())),
        );
        let all: Vec<(&str, &str)> = all
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        self.submit(&action, &all).await
    }

    /// Any call, as a form's if it has a body.
    pub async fn send(&self, method: Method, path: &str, body: Body) -> Answer {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header("host", self.world.domain())
            .header("content-type", "application/x-www-form-urlencoded")
            .body(body)
            .expect("a request");
        self.world.send(&self.address, request).await
    }
}

/// The opening tags of this name.
fn tags<'page>(page: &'page str, name: &str) -> impl Iterator<Item = &'page str> {
    let open = format!("<{name} ");
    page.match_indices(&open)
        .map(|(start, _)| {
            let rest = &page[start..];
            &rest[..rest.find('>').map_or(rest.len(), |end| end + 1)]
        })
        .collect::<Vec<_>>()
        .into_iter()
}

fn attribute(tag: &str, name: &str) -> Option<String> {
    let (_, rest) = tag.split_once(&format!(" {name}=\""))?;
    let (value, _) = rest.split_once('"')?;
    Some(value.replace("&#38;", "&").replace("&amp;", "&"))
}
