//! Pages of lists: `page`, `per_page`, `include_totals`, or `take` and `from`.
//!
//! Past the end a page is empty with 200: clients go on until they see one. A checkpoint is the id of the last item told,
//! so that a walk neither repeats nor skips one, whatever changes meanwhile; logs have checkpoints of their own.

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
    Checkpoint { from: Option<String>, take: u32 },
}

impl Paging {
    /// Reads the query.
    pub(super) fn read(query: &Query) -> Result<Self, Problem> {
        let shape = if query.get("take").or(query.get("from")).is_some() {
            Shape::Checkpoint {
                from: query
                    .get("from")
                    .filter(|from| !from.is_empty())
                    .map(str::to_owned),
                take: number(query, "take", 50, 1, 100)?,
            }
        } else {
            offset(query)?
        };
        Ok(Self {
            shape,
            projection: Projection::read(query),
        })
    }

    /// Reads the query of a list without checkpoints, where `from` may mean something else.
    pub(super) fn read_pages(query: &Query) -> Result<Self, Problem> {
        if query.get("take").is_some() {
            return Err(Problem::InvalidQuery(
                "Query validation error: this list has pages (page, per_page, include_totals), and no 'take'.".to_owned(),
            ));
        }
        Ok(Self {
            shape: offset(query)?,
            projection: Projection::read(query),
        })
    }

    /// The page to read from the store; at a checkpoint one more than is told, to know whether the walk goes on.
    pub(super) fn page(&self) -> Page {
        match &self.shape {
            Shape::Offset { page, per_page, .. } => Page::numbered(*page, *per_page),
            Shape::Checkpoint { from, take } => Page::After {
                id: from.clone(),
                take: take + 1,
            },
        }
    }

    /// The same part of a list that is whole already.
    pub(super) fn cut<T>(&self, mut items: Vec<T>, id: impl Fn(&T) -> &str) -> Vec<T> {
        match self.page() {
            Page::Numbered { page, per_page } => {
                let skipped = (page as usize).saturating_mul(per_page as usize);
                let kept = items.into_iter().skip(skipped);
                kept.take(per_page as usize).collect()
            }
            Page::After { id: from, take } => {
                items.retain(|item| from.as_deref().is_none_or(|from| id(item) > from));
                items.sort_by(|one, other| id(one).cmp(id(other)));
                items.truncate(take as usize);
                items
            }
        }
    }

    /// The answer in the shape that was asked for.
    pub(super) fn answer(&self, name: &str, mut items: Vec<Value>, total: u64) -> Response {
        let told = |items: Vec<Value>| -> Vec<Value> {
            let told = items.into_iter().map(|item| self.projection.of(item));
            told.collect()
        };
        let body = match self.shape {
            Shape::Offset { totals: false, .. } => Value::Array(told(items)),
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
                body.insert(name.to_owned(), Value::Array(told(items)));
                Value::Object(body)
            }
            Shape::Checkpoint { take, .. } => {
                let goes_on = items.len() > take as usize;
                items.truncate(take as usize);
                let last = items.last().filter(|_| goes_on).and_then(id_of);
                let next = last.map(|id| ("next".to_owned(), Value::from(id)));
                let mut body = Map::from_iter([(name.to_owned(), Value::Array(told(items)))]);
                body.extend(next);
                Value::Object(body)
            }
        };
        answer(StatusCode::OK, &body)
    }
}

fn offset(query: &Query) -> Result<Shape, Problem> {
    Ok(Shape::Offset {
        page: number(query, "page", 0, 0, 1_000_000)?,
        per_page: match number(query, "per_page", 50, 0, 100)? {
            0 => 50,
            per_page => per_page,
        },
        totals: query.is_true("include_totals"),
    })
}

/// The id by which the store orders a walk.
fn id_of(item: &Value) -> Option<String> {
    let id = ["id", "client_id", "user_id"]
        .iter()
        .find_map(|name| item.get(name));
    id.and_then(Value::as_str).map(str::to_owned)
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
mod fuzzed;

#[cfg(test)]
mod tests {
    use super::*;

    fn page(pairs: &[(&str, &str)]) -> Option<Page> {
        Some(Paging::read(&Query::from(pairs)).ok()?.page())
    }

    #[test]
    fn defaults_and_bounds() {
        let walk = |id: Option<&str>, take| Page::After {
            id: id.map(str::to_owned),
            take,
        };
        for (query, expected) in [
            (&[][..], Page::numbered(0, 50)),
            (&[("per_page", "0")], Page::numbered(0, 50)),
            (
                &[("page", "2"), ("per_page", "100")],
                Page::numbered(2, 100),
            ),
            (
                &[("take", "10"), ("from", "cgr_1")],
                walk(Some("cgr_1"), 11),
            ),
            (&[("take", "100"), ("from", "")], walk(None, 101)),
            (&[("from", "cgr_1")], walk(Some("cgr_1"), 51)),
        ] {
            assert_eq!(page(query), Some(expected), "{query:?}");
        }
        for bad in [
            &[("per_page", "101")][..],
            &[("page", "-1")],
            &[("take", "0")],
            &[("take", "101")],
            &[("take", "x")],
        ] {
            assert_eq!(page(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_list_that_is_whole_is_cut_alike() {
        let cut = |query: &[(&str, &str)]| {
            let paging = Paging::read(&Query::from(query)).unwrap();
            paging.cut(vec!["c", "a", "d", "b"], |item| item)
        };
        assert_eq!(cut(&[("per_page", "3"), ("page", "1")]), ["b"]);
        assert_eq!(cut(&[("take", "1")]), ["a", "b"]);
        assert_eq!(cut(&[("take", "9"), ("from", "b")]), ["c", "d"]);
    }
}
