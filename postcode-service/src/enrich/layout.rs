//! The layouts of JSON in which rows come.

use std::ops::Range;

use postcode_tables::json::{self, Member, Members, ObjectScanner, Opening, members};
use serde_json::Value;

use super::column::Holds;
use super::csv::{self, plain};
use super::guess::{self, Keys};
use super::{MAX_ROW, POSTCODE_NAMES, Plan, Shape, short};

/// Members of an object that are looked at before its rows.
const MEMBERS: usize = 10_000;
/// The way to a layout that is read row by row.
const CONVERT: &str = "Write it by df.to_json(path, orient=\"records\"), or convert it: python3 -c 'import pandas; \
                       pandas.read_json(\"FILE\", dtype=False).to_json(\"rows.json\", orient=\"records\")'";

/// The content of the beginning of a file.
#[derive(Debug)]
pub(super) enum Beginning {
    /// Objects come, in an array or one after the other.
    Objects,
    /// Rows come after a head.
    Rows(Head),
    /// More of the file is needed.
    Nothing,
}

/// The text before the rows of a layout.
#[derive(Debug)]
pub(super) struct Head {
    pub(super) shape: Shape,
    /// Bytes before the first row.
    pub(super) len: usize,
    /// The place in it of the new columns, and what to write there.
    pub(super) added: Option<(usize, String)>,
    pub(super) note: String,
}

/// Finds the layout of a file by its beginning; `whole` says that nothing follows.
///
/// # Errors
/// If the layout is not read, or several arrays may hold the rows.
pub(super) fn find(json: &[u8], whole: bool, plan: &Plan) -> Result<Beginning, String> {
    let unmarked = json.strip_prefix("\u{feff}".as_bytes()).unwrap_or(json).trim_ascii_start();
    let start = json.len() - unmarked.len();
    let top = members(unmarked, MEMBERS);
    let is_alone = top.end.is_none_or(|end| unmarked.get(end..).unwrap_or_default().trim_ascii().is_empty());
    if !unmarked.starts_with(b"{") || !is_alone {
        return Ok(Beginning::Objects);
    }
    let mut told = match split(unmarked, &top, whole, plan)? {
        Some(head) => Beginning::Rows(head),
        None if is_by_column(unmarked, &top) => {
            return Err(format!("pandas' layout by columns can't be read row by row. {CONVERT}"));
        }
        None if is_row(unmarked, &top, plan) => Beginning::Objects,
        None => match &arrays(unmarked, &top)[..] {
            [] if top.end.is_none() && !whole => Beginning::Nothing,
            [] => Beginning::Objects,
            [one] if top.end.is_some() && holds_elsewhere(unmarked, one, plan) => Beginning::Objects,
            [one] => Beginning::Rows(wrapped(unmarked, &top, one, plan)?),
            several => {
                let paths: Vec<String> = several.iter().map(|rows| short(&rows.path)).collect();
                return Err(format!(
                    "the file has several arrays of objects: {}. Take one out first, for example: jq .{} FILE",
                    paths.join(", "),
                    several.first().map_or("", |rows| &rows.path)
                ));
            }
        },
    };
    if let Beginning::Rows(head) = &mut told {
        head.len += start;
        head.added = head.added.take().map(|(at, text)| (at + start, text));
    }
    Ok(told)
}

/// Returns the error for an object whose rows begin too late to be found.
pub(super) fn too_late() -> String {
    format!("no array of rows begins within the first {MAX_ROW} bytes of the object. {CONVERT}")
}

/// Checks what follows the rows, after the bracket that ends them.
///
/// # Errors
/// If more rows follow, or the file is cut off.
pub(super) fn check_rest(shape: Shape, rest: &[u8]) -> Result<(), String> {
    let mut objects = match shape {
        Shape::Objects => 0,
        Shape::Wrapped { depth } => depth,
        Shape::Split { .. } => 1,
    };
    let mut rest = rest.to_vec();
    while objects > 0 {
        // The members that follow are read as another object.
        rest.insert(0, b'{');
        let found = members(&rest, usize::MAX);
        if let Some(other) = arrays(&rest, &found).iter().find(|other| other.depth + objects <= 3) {
            return Err(format!(
                "another array of objects follows the rows, {}: take one out first, for example by jq",
                short(&other.path)
            ));
        }
        let Some(end) = found.end else {
            return Err("an object without its end: is the file cut off?".to_owned());
        };
        rest.drain(..end);
        objects -= 1;
    }
    match rest.trim_ascii().is_empty() {
        true => Ok(()),
        false => Err("something follows the end of the JSON".to_owned()),
    }
}

/// An array of objects.
struct Rows {
    /// The keys of the objects around it, with dots between them.
    path: String,
    /// Where it begins, after its bracket.
    from: usize,
    /// The objects around it.
    depth: u8,
}

/// Lists the arrays of objects that are members of the object, or of an object in it.
fn arrays(object: &[u8], found: &Members<'_>) -> Vec<Rows> {
    let mut arrays = Vec::new();
    for member in &found.list {
        let value = text(object, member);
        if starts_with(value, b'[', b"{") {
            arrays.push(Rows { path: member.key.to_string(), from: member.value.start + 1, depth: 1 });
        }
        if is_schema(member, value) {
            continue;
        }
        for inner in members(value, MEMBERS).list {
            if starts_with(text(value, &inner), b'[', b"{") {
                let path = format!("{}.{}", member.key, inner.key);
                arrays.push(Rows { path, from: member.value.start + inner.value.start + 1, depth: 2 });
            }
        }
    }
    arrays
}

fn text<'a>(object: &'a [u8], member: &Member<'_>) -> &'a [u8] {
    object.get(member.value.clone()).unwrap_or_default()
}

/// Returns whether a value opens with a byte, and after it comes one of `next`.
fn starts_with(value: &[u8], open: u8, next: &[u8]) -> bool {
    let inside = value.split_first().filter(|(first, _)| **first == open).map(|(_, inside)| inside);
    inside.and_then(|inside| inside.trim_ascii_start().first()).is_some_and(|first| next.contains(first))
}

/// Returns whether a member is the one in which pandas lists the columns of its layout `table`.
fn is_schema(member: &Member<'_>, value: &[u8]) -> bool {
    member.key == "schema" && members(value, MEMBERS).list.iter().any(|inner| inner.key == "pandas_version")
}

/// Returns whether an object is one row, because it has the postcode itself.
fn is_row(object: &[u8], top: &Members<'_>, plan: &Plan) -> bool {
    top.list.iter().any(|member| {
        let value = text(object, member);
        let Some(wanted) = &plan.postcode else {
            return POSTCODE_NAMES.contains(&&*plain(&member.key)) && !matches!(value, [b'[' | b'{', ..]);
        };
        match wanted.strip_prefix(&*member.key).map(|rest| rest.strip_prefix('.')) {
            Some(None) => *wanted == member.key,
            Some(Some(rest)) if value.starts_with(b"[") => {
                rest.split('.').next().is_some_and(|place| place.parse::<usize>().is_ok())
            }
            Some(Some(_)) => true,
            None => false,
        }
    })
}

/// Returns whether an object has postcodes, and none of them in its array.
fn holds_elsewhere(object: &[u8], rows: &Rows, plan: &Plan) -> bool {
    let mut keys = Keys::default();
    keys.add(object, plan);
    let likely = keys.likely();
    let within = |path: &&str| path.strip_prefix(&*rows.path).is_some_and(|rest| rest.starts_with('.'));
    !likely.is_empty() && !likely.iter().any(within)
}

/// Returns whether an object is a table by columns, or by rows under their names, as `to_json` of pandas writes it.
fn is_by_column(object: &[u8], top: &Members<'_>) -> bool {
    let inner: Vec<Members<'_>> =
        top.list.iter().map(|member| members(text(object, member), MEMBERS)).collect();
    let is_flat = |(member, inner): (&Member<'_>, &Members<'_>)| {
        let value = text(object, member);
        let scalar = |inner: &Member<'_>| !matches!(text(value, inner), [b'[' | b'{', ..]);
        value.starts_with(b"{") && !inner.list.is_empty() && inner.list.iter().all(scalar)
    };
    if top.list.is_empty() || !top.list.iter().zip(&inner).all(is_flat) {
        return false;
    }
    let counts = |list: &[Member<'_>]| list.first().is_some_and(|first| first.key == "0");
    if counts(&top.list) || inner.iter().all(|inner| counts(&inner.list)) {
        return true;
    }
    let keys =
        |inner: &Members<'_>| inner.list.iter().map(|member| member.key.to_string()).collect::<Vec<_>>();
    let first = inner.first().map(keys).unwrap_or_default();
    let is_named = |member: &Member<'_>| POSTCODE_NAMES.contains(&&*plain(&member.key));
    top.end.is_some()
        && top.list.len() > 1
        && first.len() > 1
        && inner.iter().all(|inner| keys(inner) == first)
        && top.list.iter().any(is_named)
}

/// Returns the head of an object whose rows are in one array.
fn wrapped(object: &[u8], top: &Members<'_>, rows: &Rows, plan: &Plan) -> Result<Head, String> {
    let mut head = Head {
        shape: Shape::Wrapped { depth: rows.depth },
        len: rows.from,
        added: None,
        note: format!("the rows are the objects in {}", short(&rows.path)),
    };
    let schema = top.list.iter().find(|member| is_schema(member, text(object, member)));
    if let Some(schema) = schema.filter(|schema| schema.value.end <= rows.from) {
        let value = text(object, schema);
        let inner = members(value, MEMBERS);
        if let Some(fields) = inner.list.iter().find(|inner| inner.key == "fields") {
            let mut added = String::new();
            for column in &plan.columns {
                let kind = if column.holds() == Holds::Text { "string" } else { "number" };
                let name = format!("{}{column}", plan.prefix);
                added.push_str(&format!(",{}", serde_json::json!({ "name": name, "type": kind })));
            }
            head.added = Some((before_bracket(schema.value.start, &fields.value)?, added));
            "the layout is pandas' table: the rows are in \"data\"".clone_into(&mut head.note);
        }
    }
    Ok(head)
}

/// Returns where the bracket is that ends an array with something in it.
fn before_bracket(start: usize, array: &Range<usize>) -> Result<usize, String> {
    array.end.checked_sub(1).map(|end| start + end).ok_or_else(too_late)
}

/// Returns the head of pandas' layout `split`, if the object is that.
fn split(object: &[u8], top: &Members<'_>, whole: bool, plan: &Plan) -> Result<Option<Head>, String> {
    let named = |name: &str| top.list.iter().find(|member| member.key == name);
    let (Some(columns), Some(data)) = (named("columns"), named("data")) else { return Ok(None) };
    if !starts_with(text(object, data), b'[', b"[]") {
        return Ok(None);
    }
    let Ok(names) = serde_json::from_slice::<Vec<Value>>(&json::without_nan(text(object, columns))) else {
        return Ok(None);
    };
    if columns.value.start > data.value.start {
        return Err(format!("the names of the columns stand after the rows. {CONVERT}"));
    }
    if let Some(column) = plan.comparison() {
        return Err(format!("the column {column} can't be added in pandas' layout split. {CONVERT}"));
    }
    let name = |name: Value| match name {
        Value::String(name) => name,
        other => other.to_string(),
    };
    let names: Vec<String> = names.into_iter().map(name).collect();
    let from = data.value.start + 1;
    let postcode = match csv::named(&names, plan)? {
        Some(postcode) => postcode,
        None => {
            let mut rows = Vec::new();
            let mut scanner = ObjectScanner::within(Opening::Array, false);
            let mut rest = object.get(from..).unwrap_or_default();
            while rows.len() < guess::ROWS
                && let Ok(json::Step::Object(start, end)) = scanner.scan(rest, whole)
            {
                rows.push(json::without_nan(rest.get(start..end).unwrap_or_default()));
                rest = rest.get(end..).unwrap_or_default();
                scanner.next_object();
            }
            guess::item(&rows, &names, plan)?.0
        }
    };
    let mut added = String::new();
    for column in &plan.columns {
        let name = format!("{}{column}", plan.prefix);
        if names.iter().any(|known| known.eq_ignore_ascii_case(&name)) {
            return Err(format!("there is a column {name:?} already: give the new ones a prefix"));
        }
        added.push_str(&format!(",{}", Value::String(name)));
    }
    Ok(Some(Head {
        shape: Shape::Split { postcode, columns: names.len() },
        len: from,
        added: Some((before_bracket(0, &columns.value)?, added)),
        note: format!(
            "the layout is pandas' split: the postcodes are in the column {}",
            names.get(postcode).map(|name| short(name)).unwrap_or_default()
        ),
    }))
}
