//! The part of Liquid that mails may use: conditions, assignments, comments and the standard filters.
//!
//! No loops and no inclusion of other templates, so the work is bounded by the length of the template; what a filter
//! takes and gives is bounded too. Variables that nobody set are empty.

use std::fmt;
use std::sync::LazyLock;

use liquid_core::model::{KString, KStringCow, KStringRef, ScalarCow, Value, ValueCow, ValueView};
use liquid_core::parser::{FilterArguments, FilterReflection, Language, ParameterReflection};
use liquid_core::runtime::{PartialStore, Registers};
use liquid_core::{Error, Filter, ParseFilter, Runtime};
use liquid_lib::stdlib;

use super::scan::{ESCAPE, RAW};

/// Name of the variable that tells filters the time.
pub(super) const NOW: &str = "__now";

/// Longest text a filter takes or gives, in bytes.
const MAX_TEXT: usize = 8 * 1024;
/// Longest list a filter takes.
const MAX_LIST: i64 = 1_000;

macro_rules! filters {
    ($language:ident: $($filter:ident),+ $(,)?) => {$(
        register(&mut $language, Box::new(stdlib::$filter));
    )+};
}

/// Tags, blocks and filters.
pub(super) static LANGUAGE: LazyLock<Language> = LazyLock::new(|| {
    let mut language = Language::empty();
    language
        .tags
        .register("assign".to_owned(), stdlib::AssignTag.into());
    language
        .blocks
        .register("if".to_owned(), stdlib::IfBlock.into());
    language
        .blocks
        .register("unless".to_owned(), stdlib::UnlessBlock.into());
    language
        .blocks
        .register("case".to_owned(), stdlib::CaseBlock.into());
    language
        .blocks
        .register("comment".to_owned(), stdlib::CommentBlock.into());
    filters!(language:
        Abs, Append, AtLeast, AtMost, Capitalize, Ceil, Compact, Concat, Date, Default, DividedBy, Downcase, Escape,
        EscapeOnce, First, Floor, Join, Last, Lstrip, Map, Minus, Modulo, NewlineToBr, Plus, Prepend, Remove,
        RemoveFirst, Replace, ReplaceFirst, Reverse, Round, Rstrip, Size, Slice, Sort, SortNatural, Split, Strip,
        StripHtml, StripNewlines, Times, Truncate, TruncateWords, Uniq, Upcase, UrlDecode, UrlEncode, Where,
    );
    // As the last one it may take whatever an author may show.
    language
        .filters
        .register(ESCAPE.to_owned(), Box::new(stdlib::EscapeOnce));
    language.filters.register(RAW.to_owned(), Box::new(Raw));
    language
});

fn register(language: &mut Language, filter: Box<dyn ParseFilter>) {
    let name = filter.reflection().name().to_owned();
    language.filters.register(name, Box::new(Bounded(filter)));
}

/// A standard filter with bounds.
#[derive(Clone)]
struct Bounded(Box<dyn ParseFilter>);

impl ParseFilter for Bounded {
    fn parse(&self, arguments: FilterArguments<'_>) -> Result<Box<dyn Filter>, Error> {
        let of_time = self.0.reflection().name() == "date";
        Ok(Box::new(BoundedFilter {
            of_time,
            filter: self.0.parse(arguments)?,
        }))
    }

    fn reflection(&self) -> &dyn FilterReflection {
        self.0.reflection()
    }
}

#[derive(Debug)]
struct BoundedFilter {
    of_time: bool,
    filter: Box<dyn Filter>,
}

impl Filter for BoundedFilter {
    fn evaluate(&self, input: &dyn ValueView, runtime: &dyn Runtime) -> Result<Value, Error> {
        bounded(input)?;
        // The library would ask the machine.
        let now = match input.as_scalar() {
            Some(word) if self.of_time && matches!(word.to_kstr().as_str(), "now" | "today") => {
                runtime.try_get(&[ScalarCow::new(NOW)])
            }
            _ => None,
        };
        let given = match now {
            Some(now) => self.filter.evaluate(now.as_view(), runtime)?,
            None => self.filter.evaluate(input, runtime)?,
        };
        bounded(&given)?;
        Ok(given)
    }
}

impl fmt::Display for BoundedFilter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.filter.fmt(f)
    }
}

fn bounded(value: &dyn ValueView) -> Result<(), Error> {
    let too_long = match (value.as_scalar(), value.as_array()) {
        (Some(scalar), _) => scalar.to_kstr().len() > MAX_TEXT,
        (None, Some(list)) => list.size() > MAX_LIST,
        (None, None) => false,
    };
    if too_long {
        return Err(Error::with_msg(
            "a filter is for texts of up to 8 KiB and lists of up to 1,000",
        ));
    }
    Ok(())
}

/// Shows a value as it is.
#[derive(Clone, Debug)]
struct Raw;

impl ParseFilter for Raw {
    fn parse(&self, mut arguments: FilterArguments<'_>) -> Result<Box<dyn Filter>, Error> {
        if arguments.positional.next().is_some() || arguments.keyword.next().is_some() {
            return Err(Error::with_msg("raw takes no arguments"));
        }
        Ok(Box::new(Self))
    }

    fn reflection(&self) -> &dyn FilterReflection {
        self
    }
}

impl FilterReflection for Raw {
    fn name(&self) -> &str {
        RAW
    }

    fn description(&self) -> &str {
        "Shows a value without escaping it; it must be the last filter."
    }

    fn positional_parameters(&self) -> &'static [ParameterReflection] {
        &[]
    }

    fn keyword_parameters(&self) -> &'static [ParameterReflection] {
        &[]
    }
}

impl Filter for Raw {
    fn evaluate(&self, input: &dyn ValueView, _: &dyn Runtime) -> Result<Value, Error> {
        Ok(input.to_value())
    }
}

impl fmt::Display for Raw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(RAW)
    }
}

/// A runtime in which what nobody set is empty, not an error.
pub(super) struct Lenient<R>(pub(super) R);

impl<R: Runtime> Runtime for Lenient<R> {
    fn partials(&self) -> &dyn PartialStore {
        self.0.partials()
    }

    fn name(&self) -> Option<KStringRef<'_>> {
        self.0.name()
    }

    fn roots(&self) -> std::collections::BTreeSet<KStringCow<'_>> {
        self.0.roots()
    }

    fn try_get(&self, path: &[ScalarCow<'_>]) -> Option<ValueCow<'_>> {
        self.0.try_get(path)
    }

    fn get(&self, path: &[ScalarCow<'_>]) -> Result<ValueCow<'_>, Error> {
        Ok(self.0.try_get(path).unwrap_or(ValueCow::Owned(Value::Nil)))
    }

    fn set_global(&self, name: KString, value: Value) -> Option<Value> {
        self.0.set_global(name, value)
    }

    fn set_index(&self, name: KString, value: Value) -> Option<Value> {
        self.0.set_index(name, value)
    }

    fn get_index<'a>(&'a self, name: &str) -> Option<ValueCow<'a>> {
        self.0.get_index(name)
    }

    fn registers(&self) -> &Registers {
        self.0.registers()
    }
}
