//! Pages of lists: `page`, `per_page`, `include_totals`, or `take` and `from`.
//!
//! Past the end a page is empty with 200: clients go on until they see one. A checkpoint is a position in the list, so
//! that rows removed during a walk move those behind them; logs have checkpoints of their own.

use axum::response::Response;
use http::StatusCode;
use serde_json::{Map, Value, json};
use storage::Page;

use super::projection::Projection;
use super::uri::Query;
use crate::answer::management::{Problem, answer};

/// How a list is asked for.
#[derive(Debug, Clone)]
pub(super) struct Paging {
    shape: Shape,
    projection: Projection,
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
    pub(super) fn read(query: &Query) -> Result<Self, Problem> {
        let shape = if query.get("take").or(query.get("from")).is_some() {
            let offset = number(query, "from", 0, 0, u32::MAX / 2)?;
            let take = number(query, "take", 50, 1, 100)?;
            if !offset.is_multiple_of(take) {
                return Err(Problem::InvalidQuery(
                    "Query validation error: 'from' is not from a walk with this 'take' (keep the same take, or start anew without from)."
                        .to_owned(),
                ));
            }
            Shape::Checkpoint { offset, take }
        } else {
            Shape::Offset {
                page: number(query, "page", 0, 0, 1_000_000)?,
                per_page: match number(query, "per_page", 50, 0, 100)? {
                    0 => 50,
                    per_page => per_page,
                },
                totals: query.is_true("include_totals"),
            }
        };
        Ok(Self {
            shape,
            projection: Projection::read(query),
        })
    }

    /// The page to read from the store.
    pub(super) fn page(&self) -> Page {
        match self.shape {
            Shape::Offset { page, per_page, .. } => Page { page, per_page },
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
        let items: Vec<Value> = items
            .into_iter()
            .map(|item| self.projection.of(item))
            .collect();
        let body = match self.shape {
            Shape::Offset { totals: false, .. } => Value::Array(items),
            Shape::Offset {
                page,
                per_page,
                totals: true,
            } => {
                let start = u64::from(page) * u64::from(per_page);
                let mut body = Map::from_iter([
                    ("start".to_owned(), json!(start)),
                    ("limit".to_owned(), json!(per_page)),
                ]);
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
                if reached < total && reached == u64::from(offset) + u64::from(take) {
                    body.insert("next".to_owned(), json!(reached.to_string()));
                }
                Value::Object(body)
            }
        };
        answer(StatusCode::OK, &body)
    }
}

/// A whole number of a query, within its bounds.
pub(super) fn number(
    query: &Query,
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

    fn page(pairs: &[(&str, &str)]) -> Option<(u32, u32)> {
        let page = Paging::read(&Query::from(pairs)).ok()?.page();
        Some((page.page, page.per_page))
    }

    #[test]
    fn defaults_and_bounds() {
        assert_eq!(page(&[]), Some((0, 50)));
        assert_eq!(page(&[("per_page", "0")]), Some((0, 50)));
        assert_eq!(page(&[("page", "2"), ("per_page", "100")]), Some((2, 100)));
        assert_eq!(page(&[("take", "10"), ("from", "30")]), Some((3, 10)));
        for bad in [
            &[("per_page", "101")][..],
            &[("page", "-1")],
            &[("take", "0")],
            &[("take", "x")],
            &[("from", "")],
            &[("take", "4"), ("from", "30")],
        ] {
            assert_eq!(page(bad), None, "{bad:?}");
        }
    }
}
