//! Pages and projections of lists: `page`, `per_page`, `include_totals`, `take`, `from`, `fields`, `include_fields`.
//!
//! Past the end a page is empty with 200: clients go on until they see one.

use std::collections::HashMap;

use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value, json};
use storage::Page;

use crate::answer::management::{Problem, answer};

/// The query of a request, last value of each name.
pub(super) type Query = axum::extract::Query<HashMap<String, String>>;

/// How a list is asked for.
#[derive(Debug, Clone)]
pub(super) struct Paging {
    shape: Shape,
    fields: Option<(Vec<String>, bool)>,
}

#[derive(Debug, Clone)]
enum Shape {
    Offset {
        page: u32,
        per_page: u32,
        totals: bool,
    },
    /// `take` wins over totals, as recorded.
    Checkpoint { offset: u32, take: u32 },
}

impl Paging {
    /// Reads the query.
    pub(super) fn read(query: &HashMap<String, String>) -> Result<Self, Problem> {
        let fields = query.get("fields").map(|fields| {
            let names = fields
                .split(',')
                .map(|name| name.trim().to_owned())
                .collect();
            (
                names,
                query
                    .get("include_fields")
                    .is_none_or(|include| include != "false"),
            )
        });
        let shape = if query.contains_key("take") || query.contains_key("from") {
            let offset = match query.get("from") {
                None => 0,
                Some(_) => number(query, "from", 0, 0, u32::MAX)?,
            };
            Shape::Checkpoint {
                offset,
                take: number(query, "take", 50, 1, 100)?,
            }
        } else {
            Shape::Offset {
                page: number(query, "page", 0, 0, 1_000_000)?,
                per_page: number(query, "per_page", 50, 0, 100)?,
                totals: query
                    .get("include_totals")
                    .is_some_and(|totals| totals == "true"),
            }
        };
        Ok(Self { shape, fields })
    }

    /// The page to read from the store.
    pub(super) fn page(&self) -> Page {
        match self.shape {
            Shape::Offset { page, per_page, .. } => Page {
                page,
                per_page: if per_page == 0 { 50 } else { per_page },
            },
            Shape::Checkpoint { offset, take } => Page {
                page: offset / take,
                per_page: take,
            },
        }
    }

    /// Cuts a list that is whole already.
    pub(super) fn cut<T>(&self, items: Vec<T>) -> Vec<T> {
        let page = self.page();
        let skipped = (page.page as usize).saturating_mul(page.per_page as usize);
        items
            .into_iter()
            .skip(skipped)
            .take(page.per_page as usize)
            .collect()
    }

    /// The answer in the shape that was asked for.
    pub(super) fn answer(&self, name: &str, items: Vec<Value>, total: u64) -> Response {
        let items: Vec<Value> = items.into_iter().map(|item| self.project(item)).collect();
        let body = match self.shape {
            Shape::Offset { totals: false, .. } => Value::Array(items),
            Shape::Offset {
                page,
                per_page,
                totals: true,
            } => {
                let mut body = Map::new();
                body.insert(
                    "start".to_owned(),
                    json!(u64::from(page) * u64::from(per_page)),
                );
                body.insert("limit".to_owned(), json!(per_page));
                if matches!(name, "users" | "logs") {
                    body.insert("length".to_owned(), json!(items.len()));
                }
                body.insert("total".to_owned(), json!(total));
                body.insert(name.to_owned(), Value::Array(items));
                Value::Object(body)
            }
            Shape::Checkpoint { offset, take } => {
                let reached = u64::from(offset) + items.len() as u64;
                let mut body = Map::from_iter([(name.to_owned(), Value::Array(items))]);
                if reached < total {
                    body.insert("next".to_owned(), json!((offset + take).to_string()));
                }
                Value::Object(body)
            }
        };
        answer(StatusCode::OK, &body)
    }

    /// Keeps or drops the fields that were named.
    pub(super) fn project(&self, item: Value) -> Value {
        let (Some((names, include)), Value::Object(members)) = (&self.fields, item.clone()) else {
            return item;
        };
        Value::Object(
            members
                .into_iter()
                .filter(|(name, _)| names.contains(name) == *include)
                .collect(),
        )
    }
}

fn number(
    query: &HashMap<String, String>,
    name: &str,
    default: u32,
    least: u32,
    most: u32,
) -> Result<u32, Problem> {
    let Some(text) = query.get(name) else {
        return Ok(default);
    };
    match text.parse() {
        Ok(number) if (least..=most).contains(&number) => Ok(number),
        _ => Err(Problem::InvalidQuery(format!(
            "Query validation error: '{name}' must be a whole number from {least} to {most}."
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paging(pairs: &[(&str, &str)]) -> Result<Paging, Problem> {
        Paging::read(
            &pairs
                .iter()
                .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()))
                .collect(),
        )
    }

    #[test]
    fn defaults_and_bounds() {
        assert_eq!(
            paging(&[]).unwrap().page(),
            Page {
                page: 0,
                per_page: 50
            }
        );
        assert_eq!(
            paging(&[("page", "2"), ("per_page", "100")])
                .unwrap()
                .page(),
            Page {
                page: 2,
                per_page: 100
            }
        );
        for bad in [
            ("per_page", "101"),
            ("page", "-1"),
            ("take", "0"),
            ("take", "x"),
        ] {
            assert!(paging(&[bad]).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn fields_are_kept_or_dropped() {
        let item = json!({"a": 1, "b": 2, "c": 3});
        assert_eq!(
            paging(&[("fields", "a,b")]).unwrap().project(item.clone()),
            json!({"a": 1, "b": 2})
        );
        let dropped = paging(&[("fields", "a,b"), ("include_fields", "false")]).unwrap();
        assert_eq!(dropped.project(item), json!({"c": 3}));
    }
}
